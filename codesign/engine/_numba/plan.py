"""What is computed together: products with what follows them, maps where the next product reads.

A product takes along the rescaling and the activation behind it, as long as nobody else wants the
values between; its sums never reach memory. A channel shuffle before products becomes part of their
offsets. A map that only products of one frame read is written into that frame at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from codesign.engine._numba import winograd
from codesign.engine._numba.bitmaps import (
    BitFrame,
    WindowsOr,
    cut_of,
    fits_bits,
    fits_bytes,
    shared,
)
from codesign.engine._numba.features import PORTABLE, Level
from codesign.engine._numba.frames import Frame, Place, Plain
from codesign.engine._numba.layout import Kernel, Site, storage
from codesign.engine._numba.merge import Residual, residuals
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.packed import (
    Counted,
    Cut,
    Packed,
    Rescale,
    Window,
    base_of,
    fits_level,
)
from codesign.engine._numba.pooling import gate, windows_maximum
from codesign.engine._numba.tasks import Task
from codesign.engine._numba.tiles import packed_product, suits, takes_pools
from codesign.engine._numba.winograd import Winograd
from codesign.engine._schedule import schedule
from codesign.ir import Graph, IntArray, IntType, Node

_INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass(frozen=True, slots=True)
class Unit:
    """One call: from the values `sources` to the value `result`; `dead` may be forgotten after."""

    result: str
    sources: tuple[str, ...]
    run: Kernel
    dead: tuple[str, ...]
    level: str = ""


@dataclass(slots=True)
class _Product:
    """A product and what it takes along."""

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

    @property
    def frame(self) -> Frame | BitFrame:
        if self.level.bits:
            return BitFrame.of(self.window, self.codes, self.pad_code)
        return Frame.of(self.window, self.base, self.pad_code)


class PackedKernel(Native):
    """A packed product and the places of its maps."""

    def __init__(
        self, packed: Packed | Winograd, source: Place, target: Place, framed: bool
    ) -> None:
        super().__init__((Read(source, framed),), target)
        self.packed = packed

    def task(self, sources: Buffers, target: IntArray) -> Task | None:
        """See `Native.task`."""
        (source,) = sources
        return self.packed.task(source, _bytes(target), self.target.places, self.target.image)

    def compute(self, sources: Buffers, target: IntArray, images: int) -> None:
        """See `Native.compute`."""
        (source,) = sources
        places, step = self.target.places, self.target.image
        self.packed.run(source, images, _bytes(target), places, step)


def _bytes(target: IntArray) -> IntArray:
    return target.view(np.uint8) if target.itemsize == 1 else target


class Planner:
    """Plans a graph for wanted values; `prepare(node)` makes the kernel of a node on its own."""

    def __init__(
        self, graph: Graph, levels: tuple[Level, ...], prepare: Callable[[Node], Kernel]
    ) -> None:
        self.graph, self.levels, self.prepare = graph, levels, prepare

    def units(self, names: tuple[str, ...]) -> tuple[Unit, ...]:
        """The calls that compute the values `names`, in order."""
        steps = schedule(self.graph, names)
        readers: dict[str, list[Node]] = {}
        for step in steps:
            for source in dict.fromkeys(step.node.inputs):
                readers.setdefault(source, []).append(step.node)
        kept = set(names)
        products = self._products([step.node for step in steps], readers, kept)
        nodes = [step.node for step in steps]
        merged, repeats = residuals(self.graph, nodes, readers, kept)
        frames = self._frames(products, merged, readers, kept)
        inside = {member for product in products.values() for member in product.members}
        inside |= {member for residual in merged.values() for member in residual.members}
        inside |= set(repeats)
        units: list[tuple[str, tuple[str, ...], Kernel, str]] = []
        for step in steps:
            node = step.node
            if node.name in inside or self._is_known(node.name, kept):
                continue
            if node.name in products:
                product = products[node.name]
                run = self._packed(product, frames)
                units.append((product.result, (product.source,), run, product.level.name))
                continue
            if node.name in merged:
                residual, target = merged[node.name], frames.get(node.name)
                assert not isinstance(target, BitFrame)  # only products and pools write bits
                run = residual.kernel(self.graph, target)
                units.append((node.name, residual.sources, run, ""))
                continue
            sources = tuple(n for n in node.inputs if not self.graph.values[n].is_constant)
            if node.op == "tgap" and sources[0] in repeats:
                repeat = self.graph.node(sources[0])
                run = gate(self._site(node), repeats[repeat.name])
                units.append((node.name, repeat.inputs, run, ""))
            elif node.op == "max_pool":
                units.append((node.name, sources, self._pool(node, frames), ""))
            else:
                level = PORTABLE.name if node.op in ("conv", "linear", "wide_conv") else ""
                units.append((node.name, sources, self.prepare(node), level))
        return _with_deaths(units, kept)

    def _products(
        self, nodes: list[Node], readers: dict[str, list[Node]], kept: set[str]
    ) -> dict[str, _Product]:
        products: dict[str, _Product] = {}
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

    def _product(self, node: Node) -> _Product | None:
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
                return _Product(node, level, name, window, kind, kind.lo, pad_code, node.name)
            base = base_of(kind, pad_code, level.signed)
            if (
                base is not None
                and fits_level(level, kind, pad_code, codes)
                and suits(level, window, len(codes))
            ):
                return _Product(node, level, name, window, kind, base, pad_code, node.name)
        return None

    def _take_along(
        self, product: _Product, readers: dict[str, list[Node]], kept: set[str]
    ) -> None:
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

    def _counted(self, product: _Product, node: Node, bias: IntArray) -> Counted | None:
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
        self, node: Node, readers: list[Node], products: dict[str, _Product]
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

    def _is_less_by_winograd(self, product: _Product) -> bool:
        """Whether Winograd's products are exact and fewer; its sums are four times as large."""
        weight = self.graph.arguments(product.node)[1].data
        assert weight is not None  # the checker demands a constant there
        codes, pad_code = product.codes, product.pad_code
        base, least = min(codes.lo, pad_code), min(codes.lo, pad_code, 0)
        if product.level.bits or product.base != least:
            return False
        bias = 0 if product.after is None else int(np.abs(product.after.bias).max(initial=0))
        shift = product.after.shift if isinstance(product.after, Rescale) else 0
        greatest = max(codes.hi, pad_code) - least
        flat = weight.reshape(len(weight), -1)
        absolute = 2 * np.maximum(flat, 0).sum(1, dtype=np.int64) - flat.sum(1, dtype=np.int64)
        reach = int(absolute.max(initial=0)) * max(greatest, -base) + bias
        return (
            reach < 1 << 28
            and shift <= 28
            and winograd.suits(product.level, product.window, weight, greatest)
        )

    def _absorb_pool(
        self, product: _Product, readers: dict[str, list[Node]], kept: set[str]
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

    def _is_known(self, name: str, kept: set[str]) -> bool:
        """Whether a value is one that kernels were prepared with, and nobody asks for."""
        return self.graph.values[name].is_constant and name not in kept

    def _frames(
        self,
        products: dict[str, _Product],
        merged: dict[str, Residual],
        readers: dict[str, list[Node]],
        kept: set[str],
    ) -> dict[str, Frame | BitFrame]:
        """Maps that are written where they are read: all readers are products of one frame."""
        wanted: dict[str, set[Frame | BitFrame]] = {}
        for product in products.values():
            wanted.setdefault(product.source, set()).add(product.frame)
        absorbed = {member for product in products.values() for member in product.members}
        written = {p.result for p in products.values() if p.after is not None}
        written |= {node.name for node in self.graph.nodes if node.op == "max_pool"}
        written |= {name for name, r in merged.items() if r.frames(self.graph) == 1}
        found = {name: next(iter(frames)) for name, frames in wanted.items() if len(frames) == 1}
        return self._bit_frames(products, readers, kept) | {
            name: frame
            for name, frame in found.items()
            if isinstance(frame, Frame)
            and name in written
            and name not in kept
            and all(node.name in products or node.name in absorbed for node in readers[name])
        }

    def _bit_frames(
        self, products: dict[str, _Product], readers: dict[str, list[Node]], kept: set[str]
    ) -> dict[str, Frame | BitFrame]:
        """Maps that lie as bits between products of bits, and pools between them."""
        pools = {node.name: node for nodes in readers.values() for node in nodes}
        absorbed = {member for product in products.values() for member in product.members}
        pools = {
            name: node
            for name, node in pools.items()
            if node.op == "max_pool" and name not in absorbed
        }
        sources = {name: node.inputs[0] for name, node in pools.items()}
        writers = {p.result for p in products.values() if self._cut(p) is not None} | set(pools)
        read: dict[str, set[BitFrame]] = {}
        for name in writers - kept:
            nodes = readers.get(name, [])
            reading = [products[n.name].frame for n in nodes if n.name in products]
            frames = {frame for frame in reading if isinstance(frame, BitFrame)}
            if sum(n.name in pools for n in nodes) + len(reading) == len(nodes) and len(
                frames
            ) == len(set(reading)):
                read[name] = frames
        plain = {name: self._plain(source) for name, source in sources.items() if source in read}
        return dict(shared(read, plain, sources))

    def _plain(self, name: str) -> BitFrame:
        """The frame of a map's bits without a border."""
        value = self.graph.values[name]
        none = (0,) * len(value.shape[1:])
        return BitFrame(value.shape[1:], none, value.shape[0], value.type, value.type.lo)

    def _cut(self, product: _Product) -> Cut | None:
        """How a product writes bits; None where it cannot."""
        codes, total = (self.graph.values[n].type for n in (product.result, product.node.name))
        if not fits_bytes(self.graph.values[product.result].shape[0], product.window.groups):
            return None
        return cut_of(product.after, codes, total)

    def _packed(self, product: _Product, frames: dict[str, Frame | BitFrame]) -> Kernel:
        node, frame = product.node, product.frame
        weight = self.graph.arguments(node)[1].data
        assert weight is not None
        if node.op == "linear":
            weight = weight[..., None]
        target = frames.get(product.result)
        after: Rescale | Counted | Cut | None = product.after
        if isinstance(target, BitFrame):
            after = self._cut(product)
        elif target is not None and product.after is not None and target.base:
            after = replace(product.after, offset=product.after.offset - target.base)
        packed: Packed | Winograd
        if product.winograd:
            greatest = max(product.codes.hi, product.pad_code) - product.base
            packed = Winograd(
                product.level, product.window, weight, product.base, greatest, after,
                product.pooled,
            )  # fmt: skip
        else:
            step = product.codes.step if product.level.bits else 1
            packed = packed_product(
                product.level, product.window, weight, product.base, after, step, product.pooled
            )
        value = self.graph.values[product.result]
        dtype = np.dtype(np.int32) if after is None else storage(value.type)
        framed = product.source in frames
        whole = (
            isinstance(frame, Frame)
            and not any(frame.padding)
            and not frame.base
            and packed.reads_within
        )

        read = Plain.of(self.graph.values[product.source].shape, np.dtype(np.uint8))
        written = Plain.of(value.shape, dtype) if target is None else target
        return PackedKernel(packed, read if whole and not framed else frame, written, framed)

    def _pool(self, node: Node, frames: dict[str, Frame | BitFrame]) -> Kernel:
        site = self._site(node)
        source, target = frames.get(node.inputs[0]), frames.get(node.name)
        if isinstance(target, BitFrame):
            assert isinstance(source, BitFrame)  # a pool of bits reads and writes them
            return WindowsOr(site, source, target)
        return windows_maximum(site, target)

    def _site(self, node: Node) -> Site:
        return Site(node, self.graph.arguments(node), self.graph.values[node.name])


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


def _with_deaths(
    units: list[tuple[str, tuple[str, ...], Kernel, str]], kept: set[str]
) -> tuple[Unit, ...]:
    """Each unit with the values that no later one reads."""
    later, planned = set(kept), []
    for result, sources, run, level in reversed(units):
        dead = tuple(name for name in dict.fromkeys(sources) if name not in later)
        later.update(sources)
        planned.append(Unit(result, sources, run, dead, level))
    return tuple(reversed(planned))
