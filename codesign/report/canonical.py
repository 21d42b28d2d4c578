"""Canonical JSON: the same value gives the same bytes, and a person can read and compare it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

#: A container that fits this many columns stands on one line.
WIDTH = 100


def canonical(value: Any) -> str:
    """JSON text of `value` (None, bool, number, str, list, dict), keys in order, one newline."""
    return "".join(_pieces(value, 0)) + "\n"


def _pieces(value: Any, depth: int) -> Iterator[str]:
    line = json.dumps(value, ensure_ascii=False)
    flat = not isinstance(value, (dict, list)) or not value or _is_flat(value)
    if flat and (len(line) + 2 * depth <= WIDTH or not isinstance(value, (dict, list))):
        yield line
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner, separator = "  " * (depth + 1), ",\n"
    yield opening + "\n"
    if isinstance(value, dict):
        for position, (key, item) in enumerate(value.items()):
            yield f"{separator if position else ''}{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from _pieces(item, depth + 1)
    elif all(isinstance(item, int) for item in value):
        yield inner + f"\n{inner}".join(_filled(value, WIDTH - len(inner)))
    else:
        for position, item in enumerate(value):
            yield f"{separator if position else ''}{inner}"
            yield from _pieces(item, depth + 1)
    yield "\n" + "  " * depth + closing


def _is_flat(value: Any) -> bool:
    """Whether the container holds scalars, or small records of scalars."""
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, (dict, list)) and not _is_scalar_only(item) for item in items)


def _is_scalar_only(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, (dict, list)) for item in items)


def _filled(numbers: list[int], width: int) -> Iterator[str]:
    """Lines of comma-separated numbers, at most `width` columns each."""
    line = ""
    for position, number in enumerate(numbers):
        piece = json.dumps(number) + ("," if position + 1 < len(numbers) else "")
        if line and len(line) + 1 + len(piece) > width:
            yield line
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    yield line
