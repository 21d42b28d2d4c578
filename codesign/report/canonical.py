"""Canonical JSON: the same value gives the same bytes, and a person can read and compare it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

#: A container that fits this many columns stands on one line.
WIDTH = 100
_line = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Many:
    """A list that is made as it is written: one item or more, each holding containers."""

    items: Iterable[Any]


_CONTAINERS = (dict, list, Many)


def canonical(value: Any) -> str:
    """JSON text of `value`, keys in order, one newline at the end.

    None, bool, number, str, list, dict and Many.
    """
    return "".join(pieces(value))


def pieces(value: Any) -> Iterator[str]:
    """The text of `canonical` a piece at a time, each item of a Many one of its own."""
    parts: list[str | tuple[Many, int]] = []
    _write(value, 0, parts)
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            yield from _items(*part)
    yield "\n"


def _items(many: Many, depth: int) -> Iterator[str]:
    """The text between the brackets."""
    separator = "  " * depth
    for item in many.items:
        parts: list[Any] = [separator]
        _write(item, depth, parts)
        yield "".join(parts)
        separator = ",\n" + "  " * depth


def _write(value: Any, depth: int, parts: list[Any]) -> None:
    """The text of `value` at the end of `parts`; a Many in it as it is, with its depth."""
    if not isinstance(value, _CONTAINERS):
        parts.append(_line(value))
        return
    if _is_flat(value):
        line = _line(value)
        if not value or len(line) + 2 * depth <= WIDTH:
            parts.append(line)
            return
    inner, separator = "  " * (depth + 1), ""
    if isinstance(value, dict):
        parts.append("{\n")
        for key, item in value.items():
            parts.append(f"{separator}{inner}{_line(key)}: ")
            _write(item, depth + 1, parts)
            separator = ",\n"
    else:
        parts.append("[\n")
        if isinstance(value, Many):
            parts.append((value, depth + 1))
        elif all(isinstance(item, int) for item in value):
            parts.append(inner + f"\n{inner}".join(_filled(value, WIDTH - len(inner))))
        else:
            for item in value:
                parts.append(f"{separator}{inner}")
                _write(item, depth + 1, parts)
                separator = ",\n"
    parts.append(f"\n{'  ' * depth}{'}' if isinstance(value, dict) else ']'}")


def _is_flat(value: Any) -> bool:
    """Whether the container holds scalars, or small records of scalars."""
    if isinstance(value, Many):
        return False
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, _CONTAINERS):
            if isinstance(item, Many):
                return False
            for inner in item.values() if isinstance(item, dict) else item:
                if isinstance(inner, _CONTAINERS):
                    return False
    return True


def _filled(numbers: list[int], width: int) -> Iterator[str]:
    """Lines of comma-separated numbers, at most `width` columns each."""
    line = ""
    for position, number in enumerate(numbers):
        piece = _line(number) + ("," if position + 1 < len(numbers) else "")
        if line and len(line) + 1 + len(piece) > width:
            yield line
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    yield line
