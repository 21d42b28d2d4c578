"""Where two arrays of codes differ: counted exactly, the first place named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.ir import Graph, IntArray


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first value that differs.

    Attributes:
        layer: the value's name.
        op: the operation that computes it; "input" where none does.
        input: which input it is, by name.
        index: the first wrong element, input first; None where only digests are known.
        expected, actual: the codes there; None where only digests are known.
        wrong: elements of this value that differ, over all inputs compared; None as above.
        size: elements compared.
    """

    layer: str
    op: str
    input: str
    index: tuple[int, ...] | None
    expected: int | None
    actual: int | None
    wrong: int | None
    size: int

    def __str__(self) -> str:
        place = f"layer {self.layer} ({self.op}) of {self.input}"
        if self.index is None:
            return f"{place}: the digest of its {self.size:,} codes differs"
        return (
            f"{place}: element {list(self.index)} is {self.actual}, expected {self.expected}; "
            f"{self.wrong:,} of {self.size:,} codes differ"
        )


def difference(
    graph: Graph, layer: str, names: tuple[str, ...], expected: IntArray, actual: IntArray
) -> Divergence | None:
    """The first element in which `actual` is not `expected`, or None; shapes must be equal."""
    wrong = expected != actual
    count = int(np.count_nonzero(wrong))
    if count == 0:
        return None
    position = np.unravel_index(int(wrong.argmax()), wrong.shape)
    index = tuple(int(axis) for axis in position)
    return Divergence(
        layer=layer,
        op=operation(graph, layer),
        input=names[index[0]],
        index=index[1:],
        expected=int(expected[position]),
        actual=int(actual[position]),
        wrong=count,
        size=wrong.size,
    )


def operation(graph: Graph, layer: str) -> str:
    """The operation that computes `layer`; "input" for a graph input."""
    return "input" if layer in graph.inputs else graph.node(layer).op
