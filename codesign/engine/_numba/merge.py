"""Residual merges of byte maps in one pass: a join, the choice behind it, the copies before it.

`mux(shift_add(f, x), f, select)` reads f and x once and writes the result once, as long as nobody
else wants the join. Where a block doubles its channels, x is a `repeat`: its copies are never made,
the lines of x are read again; a `tgap` of such a map counts the map itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from codesign.engine._numba import joins, lines
from codesign.engine._numba.frames import Frame, Plain
from codesign.engine._numba.layout import storage
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.tasks import Task
from codesign.ir import Graph, IntArray, Node

_JOINS = {
    "shift_add": joins.AVERAGE,
    "bit_or": joins.GREATEST,
    "maximum": joins.GREATEST,
    "bit_and": joins.LEAST,
}


@dataclass(frozen=True, slots=True)
class Residual:
    """What one pass computes: a join, a choice, or a choice of a join and another map.

    Attributes:
        result: the value.
        kind: how `a` and `b` are joined, one of `joins`.
        a, b: values that are joined; `b` is `a` where there is no join.
        other, select: the value where the select bit is 0, and the select; empty without a choice.
        inverted: whether the join is taken where the select bit is 0.
        times: copies of `b` along the channels.
        members: nodes that this pass takes along.
    """

    result: str
    kind: int
    a: str
    b: str
    other: str = ""
    select: str = ""
    inverted: bool = False
    times: int = 1
    members: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Values that the kernel is called with."""
        return (self.a, self.b, *((self.other, self.select) if self.select else ()))

    def frames(self, graph: Graph) -> int:
        """Parts of an image that have a select of their own: 1, or its frames."""
        return int(np.prod(graph.values[self.select].shape[1:])) if self.select else 1

    def kernel(self, graph: Graph, frame: Frame | None) -> MergeKernel:
        """The pass, into the `frame` that is read next where there is one."""
        return MergeKernel(self, graph, frame)


class MergeKernel(Native):
    """A residual's pass over its maps; one part of an image, or its frames, follow each other."""

    def __init__(self, residual: Residual, graph: Graph, frame: Frame | None) -> None:
        value = graph.values[residual.result]
        dtype, channels = storage(value.type), (value.shape or (1,))[0]
        places = [Plain.of(graph.values[name].shape, dtype) for name in residual.sources]
        if residual.select:
            places[-1] = Plain.of(graph.values[residual.select].shape, np.dtype(np.uint8))
        target = frame or Plain.of(value.shape, dtype)
        super().__init__(tuple(map(Read, places)), target)
        parts = residual.frames(graph)
        padded = frame is not None and any(frame.padding)
        table = lines.Lines.of(
            value.size // channels // parts, channels, target.places if padded else None,
            residual.times,
        )  # fmt: skip
        self.step = target.image // parts
        self.merge = lines.Merge(
            residual.kind, bool(residual.select), dtype == np.int8, table,
            0 if frame is None else frame.base, residual.inverted, parts,
        )  # fmt: skip

    def task(self, sources: Buffers, target: IntArray) -> Task:
        """See `Native.task`."""
        return self.merge.task(sources, target, self.step)


def residuals(
    graph: Graph, nodes: list[Node], readers: dict[str, list[Node]], kept: set[str]
) -> tuple[dict[str, Residual], dict[str, int]]:
    """The passes by their result; and the repeats that need no copy, with their times."""
    found: dict[str, Residual] = {}
    for node in nodes:
        if any(graph.values[name].is_constant for name in node.inputs):
            continue
        if node.op in _JOINS and _bytes_alike(graph, node.name, *node.inputs):
            a, b = node.inputs
            found[node.name] = Residual(node.name, _JOINS[node.op], a, b)
        elif node.op == "mux" and _bytes_alike(graph, node.name, *node.inputs[:2]):
            a, b, select = node.inputs
            inverted = not _alone(a, found, readers, kept) and _alone(b, found, readers, kept)
            a, b = (b, a) if inverted else (a, b)
            if _alone(a, found, readers, kept):
                join = found.pop(a)
                found[node.name] = Residual(
                    node.name, join.kind, join.a, join.b, b, select, inverted, members=(a,)
                )
            else:
                found[node.name] = Residual(node.name, joins.FIRST, a, a, b, select)
    return found, _absorb_repeats(graph, nodes, readers, kept, found)


def _alone(
    name: str, found: dict[str, Residual], readers: dict[str, list[Node]], kept: set[str]
) -> bool:
    """Whether a value is a join that nobody wants but one choice, between it and another map."""
    join = found.get(name)
    if join is None or join.select or name in kept or len(readers[name]) != 1:
        return False
    return readers[name][0].inputs.count(name) == 1


def _absorb_repeats(
    graph: Graph,
    nodes: list[Node],
    readers: dict[str, list[Node]],
    kept: set[str],
    found: dict[str, Residual],
) -> dict[str, int]:
    absorbed: dict[str, int] = {}
    by_member = {member: r.result for r in found.values() for member in (r.result, *r.members)}
    for node in nodes:
        if node.op != "repeat" or node.attrs["axis"] != 0 or node.name in kept:
            continue
        times = node.attrs["times"]
        assert isinstance(times, int)
        passes = [by_member.get(reader.name, "") for reader in readers[node.name]]
        joined = [found[name] for name in passes if name]
        if any(not _reads_once(r, node.name) for r in joined) or any(
            not name and reader.op != "tgap"
            for name, reader in zip(passes, readers[node.name], strict=True)
        ):
            continue
        absorbed[node.name] = times
        for r in joined:
            a = r.b if r.a == node.name else r.a
            found[r.result] = replace(
                r, a=a, b=node.inputs[0], times=times, members=(*r.members, node.name)
            )
    return absorbed


def _reads_once(residual: Residual, name: str) -> bool:
    """Whether a pass reads the value as one of the two maps it joins, and nowhere else."""
    joined = residual.kind != joins.FIRST and residual.times == 1
    return joined and residual.sources.count(name) == 1 and name in (residual.a, residual.b)


def _bytes_alike(graph: Graph, *names: str) -> bool:
    """Whether the values travel in one type of one byte."""
    types = {storage(graph.values[name].type) for name in names}
    return len(types) == 1 and next(iter(types)).itemsize == 1
