"""What is computed together, in which order, and where maps lie.

A map that only products of one frame read is written into that frame at once, by whatever makes it.
Maps between products of bits lie as bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from codesign.engine._numba.after import Counted, Cut, Rescale
from codesign.engine._numba.bitmaps import BitFrame, WindowsOr, cut_of, fits_bytes, shared
from codesign.engine._numba.features import PORTABLE, Level
from codesign.engine._numba.frames import Frame, Place, Plain
from codesign.engine._numba.fusing import fuse
from codesign.engine._numba.layout import Kernel, Site, storage
from codesign.engine._numba.merge import Residual, residuals
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.packed import Ready
from codesign.engine._numba.pooling import gate, windows_maximum
from codesign.engine._numba.products import Product, Products
from codesign.engine._numba.tasks import Task
from codesign.engine._numba.tiles import packed_product
from codesign.engine._numba.winograd import Winograd
from codesign.engine._schedule import schedule
from codesign.ir import Graph, IntArray, Node


@dataclass(frozen=True, slots=True)
class Unit:
    """One call: from the values `sources` to the value `result`; `dead` may be forgotten after."""

    result: str
    sources: tuple[str, ...]
    run: Kernel
    dead: tuple[str, ...]
    level: str = ""


class PackedKernel(Native):
    """A packed product and the places of its maps; those `beside` are plain."""

    def __init__(
        self, packed: Ready, source: Place, target: Place, framed: bool, beside: tuple[Place, ...]
    ) -> None:
        super().__init__((Read(source, framed), *map(Read, beside)), target)
        self.packed = packed

    def task(self, sources: Buffers, target: IntArray) -> Task | None:
        """See `Native.task`."""
        source, *beside = sources
        places, step = self.target.places, self.target.image
        return self.packed.task(source, _bytes(target), places, step, tuple(beside))

    def compute(self, sources: Buffers, target: IntArray, images: int) -> None:
        """See `Native.compute`."""
        source, *beside = sources
        places, step = self.target.places, self.target.image
        self.packed.run(source, images, _bytes(target), places, step, tuple(beside))


def _bytes(target: IntArray) -> IntArray:
    return target.view(np.uint8) if target.itemsize == 1 else target


class Planner:
    """Plans a graph for wanted values; `prepare(node)` makes the kernel of a node on its own."""

    def __init__(
        self, graph: Graph, levels: tuple[Level, ...], prepare: Callable[[Node], Kernel]
    ) -> None:
        self.graph, self.prepare = graph, prepare
        self._products = Products(graph, levels)

    def units(self, names: tuple[str, ...]) -> tuple[Unit, ...]:
        """The calls that compute the values `names`, in order."""
        steps = schedule(self.graph, names)
        readers: dict[str, list[Node]] = {}
        for step in steps:
            for source in dict.fromkeys(step.node.inputs):
                readers.setdefault(source, []).append(step.node)
        kept = set(names)
        nodes = [step.node for step in steps]
        products = self._products.of(nodes, readers, kept)
        merged, repeats = residuals(self.graph, nodes, readers, kept)
        fuse(self.graph, products, merged, readers, kept)
        frames = self._frames(products, merged, readers, kept)
        computed = {product.place: product for product in products.values()}
        inside = set(products).difference(computed)
        inside |= {m for product in products.values() for m in (*product.members, *product.merged)}
        inside |= {member for residual in merged.values() for member in residual.members}
        inside |= set(repeats)
        units: list[tuple[str, tuple[str, ...], Kernel, str]] = []
        for step in steps:
            node = step.node
            if node.name in inside or self._is_known(node.name, kept):
                continue
            if node.name in computed:
                product = computed[node.name]
                run, read = self._packed(product, frames), (product.source, *product.beside)
                units.append((product.result, read, run, product.level.name))
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

    def _is_known(self, name: str, kept: set[str]) -> bool:
        """Whether a value is one that kernels were prepared with, and nobody asks for."""
        return self.graph.values[name].is_constant and name not in kept

    def _frames(
        self,
        products: dict[str, Product],
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
        self, products: dict[str, Product], readers: dict[str, list[Node]], kept: set[str]
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

    def _cut(self, product: Product) -> Cut | None:
        """How a product writes bits; None where it cannot."""
        if product.skip is not None:
            return None
        codes, total = (self.graph.values[n].type for n in (product.result, product.node.name))
        if not fits_bytes(self.graph.values[product.result].shape[0], product.window.groups):
            return None
        return cut_of(product.after, codes, total)

    def _packed(self, product: Product, frames: dict[str, Frame | BitFrame]) -> Kernel:
        node, frame = product.node, product.frame
        weight = self.graph.arguments(node)[1].data
        assert weight is not None
        if node.op == "linear":
            weight = weight[..., None]
        target = frames.get(product.result)
        after: Rescale | Counted | Cut | None = product.after
        skip = product.skip
        if isinstance(target, BitFrame):
            after = self._cut(product)
        elif skip is not None:
            skip = replace(skip, less=0 if target is None else target.base)
        elif target is not None and product.after is not None and target.base:
            after = replace(product.after, offset=product.after.offset - target.base)
        packed: Ready
        if product.winograd:
            packed = Winograd(
                product.level, product.window, weight, product.base, product.greatest, after,
                product.pooled, skip,
            )  # fmt: skip
        else:
            step = product.codes.step if product.level.bits else 1
            packed = packed_product(
                product.level, product.window, weight, product.base, after, step, product.pooled,
                skip,
            )  # fmt: skip
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
        others = [self.graph.values[name] for name in product.beside]
        beside = tuple(Plain.of(v.shape, storage(v.type)) for v in others)
        source = read if whole and not framed else frame
        return PackedKernel(packed, source, written, framed, beside)

    def _pool(self, node: Node, frames: dict[str, Frame | BitFrame]) -> Kernel:
        site = self._site(node)
        source, target = frames.get(node.inputs[0]), frames.get(node.name)
        if isinstance(target, BitFrame):
            assert isinstance(source, BitFrame)  # a pool of bits reads and writes them
            return WindowsOr(site, source, target)
        return windows_maximum(site, target)

    def _site(self, node: Node) -> Site:
        return Site(node, self.graph.arguments(node), self.graph.values[node.name])


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
