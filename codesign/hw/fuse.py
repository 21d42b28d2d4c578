"""From a graph to layers: chains of operations that one pass of the datapath does."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from codesign.hw.config import Hardware
from codesign.hw.layout import Layout, layout, same_addresses
from codesign.hw.support import STAGES, reason_for_host
from codesign.hw.tiling import window_fits_block
from codesign.ir import Graph, Node


class Kind(Enum):
    """What runs a layer."""

    LOAD = "load"
    STORE = "store"
    PRODUCT = "product"
    VECTOR = "vector"
    REORDER = "reorder"
    VIEW = "view"
    HOST = "host"


#: Layers without products.
_CHEAP = (Kind.VECTOR, Kind.VIEW, Kind.REORDER)


@dataclass
class Layer:
    """One descriptor's worth of work.

    `nodes` in order (none for a load or a store; a generator of weights last), `source` the IR
    values read from memory, `result` the one written. A view writes nothing: its result lies where
    its source does.
    """

    kind: Kind
    nodes: list[Node]
    source: tuple[str, ...]
    result: str
    reason: str = ""

    @property
    def name(self) -> str:
        """The first operation's name, or the value that is streamed."""
        return self.nodes[0].name if self.nodes else self.result


@dataclass
class Fused:
    """The layers in order of execution, and where every value they exchange lies.

    `home` maps a value to the value whose words it shares: itself, but for a view. The values
    `hosted` are handed from host to host and never enter the machine.
    """

    layers: list[Layer]
    hosted: frozenset[str] = frozenset()
    layouts: dict[str, Layout] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)


def fuse(graph: Graph, hardware: Hardware) -> Fused:
    """Cut `graph` into layers: loads of the inputs, operations, stores of the outputs.

    An operation joins the layer whose last value it reads if nothing else reads that value, it is
    not an output, and it comes later in the datapath (`STAGES`) than all the layer's operations.
    """
    layers = [Layer(Kind.LOAD, [], (), name) for name in graph.inputs]
    by_tail: dict[str, Layer] = {}
    waiting: dict[str, Node] = {}  # generators, until the first layer that reads their weights
    for node in graph.nodes:
        if graph.values[node.name].is_constant:
            waiting[node.name] = node
            continue
        reason = reason_for_host(graph, node, hardware)
        if reason:
            maps = [name for name in node.inputs if not graph.values[name].is_constant]
            made = [waiting.pop(name) for name in node.inputs if name in waiting]
            layers.append(Layer(Kind.HOST, [node, *made], tuple(maps), node.name, reason))
            continue
        tail = node.inputs[0]
        layer = by_tail.get(tail)
        if layer is not None and _joins(graph, layer, node, hardware):
            layer.nodes.append(node)
            layer.result = node.name
        else:
            layer = Layer(_kind(graph, node), [node], (tail,), node.name)
            layers.append(layer)
        by_tail[node.name] = layer
    layers.extend(Layer(Kind.STORE, [], (name,), name) for name in graph.outputs)
    fused = Fused(layers, _hosted(layers))
    for layer in layers:
        if layer.kind in _CHEAP and layer.result in fused.hosted:
            layer.kind, layer.reason = Kind.HOST, "the host makes its operand and reads its result"
    for layer in layers:
        _place(graph, layer, fused, hardware)
    return fused


def _hosted(layers: list[Layer]) -> frozenset[str]:
    """Values that the host makes, and that only the host reads.

    A layer without products that stands between two host layers is done there too: its map would
    cross over twice.
    """
    maker = {layer.result: layer for layer in layers if layer.kind is not Kind.STORE}
    readers: dict[str, list[Layer]] = {name: [] for name in maker}
    for layer in layers:
        for name in layer.source:
            readers[name].append(layer)
    found = {n for n, made in maker.items() if made.kind is Kind.HOST or made.kind in _CHEAP}

    def stays(name: str) -> bool:
        made = maker[name]
        from_host = made.kind is Kind.HOST or made.source[0] in found
        return from_host and all(
            reader.kind is Kind.HOST or (reader.kind in _CHEAP and reader.result in found)
            for reader in readers[name]
        )

    while not all(map(stays, found)):
        found = {name for name in found if stays(name)}
    return frozenset(found)


def _kind(graph: Graph, node: Node) -> Kind:
    if STAGES[node.op] == 0:
        return Kind.PRODUCT
    if node.op == "reshape":
        return Kind.VIEW if is_view(graph, node) else Kind.REORDER
    return Kind.VECTOR


def is_view(graph: Graph, node: Node) -> bool:
    """Whether a reshape only renames addresses.

    It does where each code stays in its place, and where a map is flattened for `linear` alone,
    which then runs as a convolution whose window is the map.
    """
    before, after = graph.values[node.inputs[0]], graph.values[node.name]
    if same_addresses(before, after):
        return True
    readers = graph.consumers(node.name)
    return len(after.shape) == 1 and all(reader.op == "linear" for reader in readers)


def _joins(graph: Graph, layer: Layer, node: Node, hardware: Hardware) -> bool:
    tail = layer.result
    if tail in graph.outputs or len(graph.consumers(tail)) != 1:
        return False
    stages = [STAGES[other.op] for other in layer.nodes]
    stage = STAGES[node.op]
    if node.op == "reshape":
        return is_view(graph, node) and layer.kind is not Kind.REORDER
    if stage <= stages[-1]:
        return False
    if node.op == "max_pool":
        return _pools_in_drain(graph, layer, node, hardware)
    # the comparator sees scores in the order of computation, which a shuffle changes
    return node.op != "argmax" or STAGES["channel_shuffle"] not in stages


def _pools_in_drain(graph: Graph, layer: Layer, node: Node, hardware: Hardware) -> bool:
    """Whole windows that do not overlap and fit a block, after products only."""
    kernel, stride = node.attrs["kernel"], node.attrs["stride"]
    assert isinstance(kernel, tuple)
    if layer.kind is not Kind.PRODUCT or kernel != stride:
        return False
    return window_fits_block(kernel, hardware.accumulator.pixels)


def _place(graph: Graph, layer: Layer, fused: Fused, hardware: Hardware) -> None:
    if layer.kind is Kind.STORE:
        return
    value, home = graph.values[layer.result], layer.result
    place = layout(value, hardware.lanes.input)
    # the trailing reshapes of a layer rename what it writes: the words are those before them
    for node in reversed(layer.nodes):
        if node.op != "reshape" or layer.kind in (Kind.REORDER, Kind.HOST):
            break
        before = node.inputs[0]
        if not same_addresses(graph.values[before], graph.values[node.name]):
            # flattened: products read it as the map that it was
            place = fused.layouts.get(before) or layout(graph.values[before], hardware.lanes.input)
        if before in fused.home:  # a view of a map that lies in memory already
            home = fused.home[before]
    fused.layouts[layer.result] = place
    fused.home[layer.result] = home
