"""YAML read with the line of every key, so that an error can say where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from codesign.errors import CodesignError

#: A place in the document: the keys that lead there.
Key = tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A parsed mapping and the line (from 1) of every key in it."""

    source: str
    data: dict[str, Any]
    lines: dict[Key, int] = field(default_factory=dict)

    def place(self, key: Key) -> str:
        """`source:line` of the key, or of the nearest one that leads to it."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.source}:{self.lines.get(key, 1)}"


def read(text: str, source: str) -> Document:
    """Parse one YAML mapping; CodesignError (one line, with its place) where it is none."""
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise CodesignError(f"{source}: is empty; write a configuration, 'schema: 1' first")
        if not isinstance(root, yaml.MappingNode):
            raise CodesignError(
                f"{source}:{root.start_mark.line + 1}: is not a table of keys and values; "
                "begin with 'schema: 1'"
            )
        document = Document(source, {})
        document.data.update(_mapping(loader, root, document, (), set()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise CodesignError(
            f"{source}:{line}: is not YAML ({error.problem or error.context}); correct the syntax"
        ) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise CodesignError(f"{source}: is not YAML ({reason}); correct the syntax") from None
    except RecursionError:
        raise CodesignError(f"{source}: is nested too deeply; use the keys of the schema") from None
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _mapping(
    loader: yaml.SafeLoader,
    node: yaml.MappingNode,
    document: Document,
    prefix: Key,
    seen: set[int],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise CodesignError(
                f"{document.source}:{line}: a key is a list or a table; use a plain word"
            )
        key = (*prefix, str(key_node.value))
        if key in document.lines:
            raise CodesignError(
                f"{document.source}:{line}: {'.'.join(key)} is given twice, first in line "
                f"{document.lines[key]}; give it once"
            )
        document.lines[key] = line
        result[key[-1]] = _value(loader, value_node, document, key, seen)
    return result


def _value(
    loader: yaml.SafeLoader, node: yaml.Node, document: Document, key: Key, seen: set[int]
) -> Any:
    if id(node) in seen:
        raise CodesignError(
            f"{document.source}:{document.lines[key]}: {'.'.join(key)} is an alias; "
            "write the value out"
        )
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, document, key, seen)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, document, key, seen) for item in node.value]
    return loader.construct_object(node)
