"""Where configurations come from, and how their errors become one line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from codesign.errors import CodesignError
from codesign.hw._yaml import Document, Key, read

_Model = TypeVar("_Model", bound=BaseModel)

_HERE = Path(__file__).resolve().parent
#: An installed package carries the files in itself, a checkout beside itself.
_FOLDERS = (_HERE.parent / "hw_configs", _HERE.parent.parent / "hw_configs")

#: What is expected, by pydantic's kind of error; every kind that the models can raise.
_EXPECTED = {
    "int_type": ", not a whole number; give one such as 16",
    "bool_type": ", not a switch; give true or false",
    "string_type": ", not text; give a word or a sentence",
    "greater_than_equal": "; give {ge} or more",
    "less_than_equal": "; give {le} or less",
    "string_too_short": ", empty; write at least one letter",
    "string_pattern_mismatch": (
        ", not a name; use letters, digits, '.', '_', '-', a letter or a digit first"
    ),
}


def shipped() -> dict[str, Path]:
    """The configurations that come with the package, by name."""
    for folder in _FOLDERS:
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def find(path_or_name: str | Path) -> Path:
    """The file that is meant; a bare name means a shipped one. CodesignError where none is."""
    path = Path(path_or_name)
    if path.name != str(path_or_name) or path.suffix in (".yaml", ".yml"):
        return path
    known = shipped()
    if path.name in known:
        return known[path.name]
    raise CodesignError(
        f"{path.name}: no configuration has this name; {_suggest(path.name, known)} "
        "(or give the path of a .yaml file)"
    )


def read_text(path: Path) -> str:
    """The file's text; CodesignError where it is missing, a folder or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(
            f"{path}: cannot be read ({reason}); give the path of a .yaml file or one of "
            f"{', '.join(shipped())}"
        ) from None
    except UnicodeDecodeError:
        raise CodesignError(f"{path}: is not text (UTF-8); give a .yaml file") from None


def build(model: type[_Model], text: str, source: str) -> _Model:
    """Validate YAML `text` as `model`; CodesignError names the first wrong key by line."""
    document = read(text, source)
    if "schema" not in document.data:
        raise CodesignError(f"{source}:1: schema is missing; begin with 'schema: 1'")
    if document.data["schema"] != 1 or isinstance(document.data["schema"], bool):
        raise CodesignError(
            f"{document.place(('schema',))}: schema is {document.data['schema']!r}; this version "
            "reads schema 1; use that, or a newer codesign"
        )
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        lines = [_line(model, document, dict(item)) for item in error.errors(include_url=False)]
        _, message = min(lines, key=lambda line: line[0])
        raise CodesignError(message) from None


def _line(model: type[BaseModel], document: Document, item: dict[str, Any]) -> tuple[int, str]:
    """(order, message) of one of pydantic's findings: typed keys first, then missing ones."""
    cause = item.get("ctx", {}).get("error")
    key: Key = getattr(cause, "key", None) or tuple(str(part) for part in item["loc"])
    name, place = ".".join(key), document.place(key)
    order = int(place.rpartition(":")[2])
    kind, found = item["type"], item["input"]
    if kind == "extra_forbidden":
        fields = _fields(model, key[:-1])
        return order, f"{place}: {name} is not a key here; {_suggest(key[-1], fields)}"
    if kind == "missing":
        fields = _fields(model, key[:-1])
        doc = fields[key[-1]] or f"a table with the keys {', '.join(_fields(model, key))}"
        # a misspelt key is also a missing one: the misspelling is the better message
        return order + 1_000_000, f"{place}: {name} is missing; give it ({doc})"
    if cause is not None:
        return order, f"{place}: {name} {cause}"
    if kind in ("model_type", "model_attributes_type"):
        keys = ", ".join(_fields(model, key))
        return order, f"{place}: {name} is {found!r}, not a table; give the keys {keys}"
    return order, f"{place}: {name} is {found!r}{_EXPECTED[kind].format(**item.get('ctx', {}))}"


def _fields(model: type[BaseModel], key: Key) -> dict[str, str]:
    """The keys that the part at `key` may have, with their descriptions."""
    for part in key:
        annotation = model.model_fields[part].annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return {
        str(field.alias or name): field.description or ""
        for name, field in model.model_fields.items()
    }


def _suggest(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(known)}"
