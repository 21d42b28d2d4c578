"""An encoder as a table of rows, read from YAML and checked row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError

#: Activations by name; an integer means HWMSB with that many bits.
STEP_ACTIVATIONS = ("heaviside", "sign")


@dataclass(frozen=True)
class Row:
    """One layer: convolution ("same" padding), normalization with activation, pooling, shuffle.

    `pool` is the window of a max-pool (1: none); `shuffle` interleaves the groups for the next
    layer.
    """

    channels: int
    kernel: int
    groups: int
    levels: int
    pool: int
    activation: int | str
    shuffle: bool


@dataclass(frozen=True)
class Table:
    """A whole encoder: input size, rows, levels of the classifier, names of its classes."""

    name: str
    input: tuple[int, int, int]
    rows: tuple[Row, ...]
    classifier_levels: int
    classes: tuple[str, ...]


def load_table(source: str | Path | Mapping[str, Any]) -> Table:
    """The table of a YAML file, or of a mapping of the same form.

    Keys: `name`, `input` (channels, height, width), `classes` (names), `classifier` (levels),
    `rows` (each: channels, and if not the default kernel 3, groups 1, levels 3, pool 1,
    activation 2, shuffle: true where groups > 1 and another row follows).
    Raises CodesignError naming file, row, key, what was found and what to do.
    """
    if isinstance(source, Mapping):
        return _Reader("table").table(source)
    import yaml

    path = Path(source)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(f"{path}: cannot be read ({reason}); give a YAML table") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise CodesignError(f"{path}{line}: is not YAML; correct it") from None
    if not isinstance(data, Mapping):
        raise CodesignError(f"{path}: holds no table; give keys name, input, classes, rows")
    return _Reader(str(path)).table(data)


class _Reader:
    """Reads one table; `where` begins each message."""

    def __init__(self, where: str) -> None:
        self.where = where

    def table(self, data: Mapping[str, Any]) -> Table:
        self._keys(data, ("name", "input", "classes", "classifier", "rows"), self.where)
        size = self._part(data, "input", Mapping, "a mapping of channels, height, width")
        self._keys(size, ("channels", "height", "width"), f"{self.where}: input")
        place = f"{self.where}: input"
        channels, height, width = (
            self._integer(size, key, place, None, 1) for key in ("channels", "height", "width")
        )
        name = data.get("name")
        if not isinstance(name, str) or not name.replace("_", "").replace("-", "").isalnum():
            raise CodesignError(
                f"{self.where}: name is {name!r}; give letters, digits, '_' and '-'"
            )
        classes = self._part(data, "classes", list, "a list of names")
        names = tuple(str(entry) for entry in classes)
        if len(names) < 2 or len(set(names)) != len(names):
            raise CodesignError(
                f"{self.where}: classes has {len(names)} names, {len(set(names))} of them "
                "different; give two or more, all different"
            )
        classifier = data.get("classifier", {})
        if not isinstance(classifier, Mapping):
            raise CodesignError(f"{self.where}: classifier is {classifier!r}; give {{levels: 5}}")
        self._keys(classifier, ("levels",), f"{self.where}: classifier")
        levels = self._integer(classifier, "levels", f"{self.where}: classifier", 5, 2)
        rows = self._part(data, "rows", list, "a list of rows")
        if not rows:
            raise CodesignError(f"{self.where}: rows is empty; give one or more")
        return Table(
            name=name,
            input=(channels, height, width),
            rows=self._rows(rows, channels, height, width),
            classifier_levels=levels,
            classes=names,
        )

    def _rows(self, entries: list[Any], depth: int, height: int, width: int) -> tuple[Row, ...]:
        rows = []
        for number, entry in enumerate(entries, start=1):
            place = f"{self.where}: row {number}"
            if not isinstance(entry, Mapping):
                raise CodesignError(f"{place} is {entry!r}; give a mapping with key channels")
            row = self._row(entry, place, last=number == len(entries))
            self._fits(row, place, depth, height, width)
            depth, height, width = row.channels, height // row.pool, width // row.pool
            rows.append(row)
        return tuple(rows)

    def _row(self, entry: Mapping[str, Any], place: str, last: bool) -> Row:
        self._keys(entry, tuple(Row.__dataclass_fields__), place)
        groups = self._integer(entry, "groups", place, 1, 1)
        kernel = self._integer(entry, "kernel", place, 3, 1)
        if kernel % 2 == 0:
            raise CodesignError(f"{place}: kernel is {kernel}; give an odd one (1, 3, 5)")
        activation = entry.get("activation", 2)
        if activation not in STEP_ACTIVATIONS:
            if isinstance(activation, bool) or activation not in range(1, 9):
                raise CodesignError(
                    f"{place}: activation is {activation!r}; give 1 to 8 bits, heaviside or sign"
                )
            activation = int(activation)
        shuffle = entry.get("shuffle", groups > 1 and not last)
        if not isinstance(shuffle, bool):
            raise CodesignError(f"{place}: shuffle is {shuffle!r}; give true or false")
        return Row(
            channels=self._integer(entry, "channels", place, None, 1),
            kernel=kernel,
            groups=groups,
            levels=self._integer(entry, "levels", place, 3, 2),
            pool=self._integer(entry, "pool", place, 1, 1),
            activation=activation,
            shuffle=shuffle,
        )

    @staticmethod
    def _fits(row: Row, place: str, depth: int, height: int, width: int) -> None:
        for channels, which in ((depth, "input"), (row.channels, "output")):
            if channels % row.groups:
                fitting = ", ".join(str(d) for d in range(1, channels + 1) if channels % d == 0)
                raise CodesignError(
                    f"{place}: {row.groups} groups do not divide {channels} {which} channels; "
                    f"use a divisor of {channels} ({fitting})"
                )
        if row.levels > 127:
            raise CodesignError(f"{place}: levels is {row.levels}; give 2 to 127")
        if height % row.pool or width % row.pool:
            raise CodesignError(
                f"{place}: pool {row.pool} does not divide the {height} x {width} map; "
                "use a divisor of both"
            )

    def _part(self, data: Mapping[str, Any], key: str, kind: type, wanted: str) -> Any:
        value = data.get(key)
        if not isinstance(value, kind):
            found = "missing" if key not in data else repr(value)
            raise CodesignError(f"{self.where}: {key} is {found}; give {wanted}")
        return value

    @staticmethod
    def _integer(
        data: Mapping[str, Any], key: str, place: str, default: int | None, least: int
    ) -> int:
        value = data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            found = "missing" if value is None else repr(value)
            raise CodesignError(f"{place}: {key} is {found}; give an integer of {least} or more")
        return value

    @staticmethod
    def _keys(data: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
        for key in data:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise CodesignError(f"{place}: {key} is not a key here; {remedy}")
