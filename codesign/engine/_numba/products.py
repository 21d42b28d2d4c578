"""Products, and what each takes along: how it multiplies, what follows it, what it reads through.

A product takes along the rescaling and the activation behind it, and a 2 x 2 max-pool behind those,
as long as nobody else wants the values between; its sums never reach memory. A channel shuffle
before products becomes part of their offsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from codesign.engine._numba import winograd
from codesign.engine._numba.after import Counted, Rescale
from codesign.engine._numba.bitmaps import BitFrame, fits_bits
from codesign.engine._numba.features import Level
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.layout import storage
from codesign.engine._numba.packed import base_of, fits_level
from codesign.engine._numba.skips import Skip
from codesign.engine._numba.tiles import suits, takes_pools
from codesign.engine._numba.windows import Window
from codesign.ir import Graph, IntArray, IntType, Node

_INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass(slots=True)
class Product:
    """A product and what it takes along.

    Attributes:
        source: the value it reads.
        result: the value it writes.
        after: what becomes of its sums; None: they are written.
        members: nodes that are part of it, from its source to its codes.
        winograd: whether it has Winograd's products.
        pooled: whether of 2 x 2 results the greatest is written.
        skip: what its codes are merged with; `beside` are the values that are read for it, and
            `merged` the nodes between the codes and the result.
    """

    node: Node
    level: Level
    source: str
    window: Window
    codes: IntType
    base: int
    pad_code: int
    result: str
    after: Rescale | Counted | None = None
    members: list[str] = field(default_factory=list)
    winograd: bool = False
    pooled: bool = False
    skip: Skip | None = None
    beside: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The node where it is computed: all that it reads is there by then."""
        return self.node.name if self.skip is None else self.result

    @property
    def greatest(self) -> int:
        """The greatest number that is stored for a code."""
        return max(self.codes.hi, self.pad_code) - self.base

    @property
    def frame(self) -> Frame | BitFrame:
        """Where its map lies."""
        if self.level.bits:
            return BitFrame.of(self.window, self.codes, self.pad_code)
        return Frame.of(self.window, self.base, self.pad_code)


class Products:
    """Finds the products of a graph that the `levels` multiply."""

    def __init__(self, graph: Graph, levels: tuple[Level, ...]) -> None:
        self.graph, self.levels = graph, levels

    def of(
        self, nodes: list[Node], readers: dict[str, list[Node]], kept: set[str]
    ) -> dict[str, Product]:
        """The products among `nodes`, by their nodes' names.

        `readers` are the nodes that read each value, `kept` the values that are wanted themselves.
        """
        products: dict[str, Product] = {}
        for node in nodes:
            product = self._product(node) if node.op in ("conv", "linear") else None
            if product is not None:
                self._take_along(product, readers, kept)
                products[node.name] = product
        for node in nodes:
            if node.op == "channel_shuffle" and node.name not in kept:
                self._absorb_shuffle(node, readers[node.name], products)
        for product in products.values():
            product.winograd = self._is_less_by_winograd(product)
            outputs = self.graph.values[product.result].shape[0]
            if product.winograd or takes_pools(product.level, product.window, outputs):
                self._absorb_pool(product, readers, kept)
        return products

    def _product(self, node: Node) -> Product | None:
        """The product of the first level that is exact on it; None where none is."""
        source, weight = self.graph.arguments(node)
        codes = weight.data
        assert codes is not None  # the checker demands a constant there
        attrs: Mapping[str, Any] = node.attrs
        if node.op == "linear":
            window = Window((1,), source.shape[0], (1,), (1,), (0,))
            codes, pad_code = codes[..., None], source.type.lo
        else:
            window = Window(
                source.shape[1:], source.shape[0], codes.shape[2:], attrs["stride"],
                attrs["padding"], attrs["groups"],
            )  # fmt: skip
            pad_code = attrs["pad_code"] if any(attrs["padding"]) else source.type.lo
        name, kind = node.inputs[0], source.type
        shuffled = any(n.name == name and n.op == "channel_shuffle" for n in self.graph.nodes)
        for level in self.levels:
            if not shuffled and fits_bits(level, window, kind, pad_code, codes):
                return Product(node, level, name, window, kind, kind.lo, pad_code, node.name)
            base = base_of(kind, pad_code, level.signed)
            if (
                base is not None
                and fits_level(level, kind, pad_code, codes)
                and suits(level, window, len(codes))
            ):
                return Product(node, level, name, window, kind, base, pad_code, node.name)
        return None

    def _take_along(self, product: Product, readers: dict[str, list[Node]], kept: set[str]) -> None:
        """Rescaling, then activation; each the only reader of the value before it."""
        members: list[str] = []
        bias: IntArray = np.zeros(self.graph.values[product.result].shape[0], np.int64)
        shift = 0
        node = self._next(product.result, readers, kept)
        if node is not None and node.op == "bit_shift_norm" and self._sum_fits(node):
            bias, shift = self._bias(node), _integer(node, "shift")
            members.append(node.name)
            node = self._next(node.name, readers, kept)
        limits = None if node is None else _limits(node)
        if node is not None and limits is not None and shift + limits[0] <= 31:
            members.append(node.name)
            product.after = Rescale(bias, shift + limits[0], *limits[1:])
        elif (
            node is not None
            and node.op == "threshold"
            and not shift
            and _is_byte(self.graph, node.name)
        ):
            counted = self._counted(product, node, bias)
            if counted is None:
                return
            members.append(node.name)
            product.after = counted
        elif members and _is_byte(self.graph, members[-1]):
            product.after = Rescale(bias, shift, *_INT32)
        else:
            return  # sums wider than a code stay sums
        product.members, product.result = members, members[-1]

    def _next(self, name: str, readers: dict[str, list[Node]], kept: set[str]) -> Node | None:
        following = readers.get(name, [])
        return following[0] if len(following) == 1 and name not in kept else None

    def _bias(self, node: Node) -> IntArray:
        data = self.graph.arguments(node)[1].data
        assert data is not None  # the checker demands a constant there
        return data.astype(np.int64)

    def _counted(self, product: Product, node: Node, bias: IntArray) -> Counted | None:
        """The thresholds of a node; None where its numbers are too great for the tile's types."""
        _, levels, flip = (value.data for value in self.graph.arguments(node))
        weight = self.graph.arguments(product.node)[1].data
        assert levels is not None and flip is not None and weight is not None
        wide, side = levels.astype(np.int64), 1 - 2 * flip.astype(np.int64)
        total = self.graph.arguments(node)[0].type
        # negated, the least number of a type has no place in it
        if weight.min() == -128 or min(int(wide.min()), total.lo) <= _INT32[0]:
            return None
        return Counted(bias, side, wide * side[:, None])

    def _sum_fits(self, node: Node) -> bool:
        """Whether `x + bias` of a bit_shift_norm fits 32 bits before the shift."""
        x, bias = self.graph.arguments(node)[0], self._bias(node)
        low, high = x.type.lo + int(bias.min()), x.type.hi + int(bias.max())
        return _INT32[0] <= low and high <= _INT32[1]

    def _absorb_shuffle(
        self, node: Node, readers: list[Node], products: dict[str, Product]
    ) -> None:
        """Products that read a shuffled map read the map before it, in another order."""
        groups = _integer(node, "groups")
        reading = [products.get(reader.name) for reader in readers]
        if any(
            p is None or p.node.op != "conv" or (p.window.channels // p.window.groups) % groups
            for p in reading
        ):
            return
        for product in reading:
            assert product is not None
            product.source, product.members = node.inputs[0], [*product.members, node.name]
            product.window = replace(product.window, shuffle=groups)

    def _is_less_by_winograd(self, product: Product) -> bool:
        """Whether Winograd's products are exact and fewer; its sums are four times as large."""
        weight = self.graph.arguments(product.node)[1].data
        assert weight is not None  # the checker demands a constant there
        least = min(product.codes.lo, product.pad_code)
        if product.level.bits or product.base != min(least, 0):
            return False
        bias = 0 if product.after is None else int(np.abs(product.after.bias).max(initial=0))
        shift = product.after.shift if isinstance(product.after, Rescale) else 0
        flat = weight.reshape(len(weight), -1)
        absolute = 2 * np.maximum(flat, 0).sum(1, dtype=np.int64) - flat.sum(1, dtype=np.int64)
        reach = int(absolute.max(initial=0)) * max(product.greatest, -least) + bias
        return (
            reach < 1 << 28
            and shift <= 28
            and winograd.suits(product.level, product.window, weight, product.greatest)
        )

    def _absorb_pool(
        self, product: Product, readers: dict[str, list[Node]], kept: set[str]
    ) -> None:
        """The maximum of 2 x 2 results, where nothing else reads them."""
        node = self._next(product.result, readers, kept)
        if (
            product.after is not None
            and node is not None
            and node.op == "max_pool"
            and node.attrs["kernel"] == node.attrs["stride"] == (2, 2)
        ):
            product.pooled, product.result = True, node.name
            product.members.append(node.name)


def _integer(node: Node, attribute: str) -> int:
    value = node.attrs[attribute]
    assert isinstance(value, int)
    return value


def _limits(node: Node) -> tuple[int, int, int, int, int] | None:
    """Shift, lo, hi, scale and offset of an activation; None for another operation."""
    attrs: Mapping[str, Any] = node.attrs
    if node.op == "hwmsb":
        return attrs["shift"], 0, (1 << attrs["bits"]) - 1, 0, 0
    if node.op == "heaviside":
        return 0, 0, 1, 0, 0
    if node.op == "sign":
        return 0, -1, 0, 1, 1
    if (
        node.op == "clip"
        and -128 <= attrs["lo"] <= attrs["hi"] <= 255
        and (attrs["lo"] >= 0 or attrs["hi"] <= 127)
    ):
        return 0, attrs["lo"], attrs["hi"], 0, 0
    return None


def _is_byte(graph: Graph, name: str) -> bool:
    return storage(graph.values[name].type).itemsize == 1
