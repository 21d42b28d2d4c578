"""`plan(graph, hardware)`: a network mapped to a machine, with all its costs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from codesign.hw import schedule
from codesign.hw.budget import Share, energy_rows, lines, memories
from codesign.hw.config import Hardware
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.hw.fuse import Fused, Kind, Layer, fuse
from codesign.hw.memory import allocate
from codesign.hw.plan import Cycles, EnergyRow, Events, LayerPlan, Plan
from codesign.hw.schedule import Cost
from codesign.hw.tiling import output_tiles
from codesign.hw.work import Work, limits, work_of
from codesign.ir import Graph, Node, Operations, lookup

#: Operations whose second operand are weights: they accumulate products.
_PRODUCTS = ("conv", "wide_conv", "linear")


def plan(graph: Graph, hardware: Hardware) -> Plan:
    """Map `graph` to `hardware`: layers, memory map, cycles, operations, budget.

    The plan is complete even where the network does not fit (`Plan.fits`, `Plan.problems`). What
    has no unit runs on the host: its operations are counted, its transfers take cycles, and its
    time is listed as not modelled.
    """
    fused = fuse(graph, hardware)
    layers, shares = [], []
    for layer in fused.layers:
        work = _work(graph, layer, fused, hardware)
        share = _share(layer, fused, work, hardware)
        shares.append(share)
        layers.append(_layer(graph, layer, fused, share, hardware))
    memory_map = allocate(fused, hardware)
    uses = memories(hardware, layers, shares, memory_map)
    rows = energy_rows(hardware, sum((layer.events for layer in layers), Events()))
    return Plan(
        model=graph.name,
        hardware=hardware,
        layers=tuple(layers),
        memories=uses,
        placements=memory_map.placements,
        peak_activation_bits=memory_map.peak_words * hardware.activation_word,
        peak_at=layers[memory_map.peak].name,
        budget=lines(hardware, layers, uses, rows),
        not_modelled=_not_modelled(layers, rows),
        energy=rows,
    )


def _work(graph: Graph, layer: Layer, fused: Fused, hardware: Hardware) -> Work | None:
    """The geometry of a product or vector layer; what no descriptor holds goes to the host."""
    if layer.kind not in (Kind.PRODUCT, Kind.VECTOR):
        return None
    work = work_of(graph, layer, fused)
    reason = limits(work, hardware)
    if reason:
        layer.kind, layer.reason = Kind.HOST, reason
        return None
    return work


def _exchanged(layer: Layer, fused: Fused) -> list[str]:
    """Operands of a host layer that lie in the machine, and its result if the machine reads it."""
    return [name for name in (*layer.source, layer.result) if name not in fused.hosted]


def _share(layer: Layer, fused: Fused, work: Work | None, hardware: Hardware) -> Share:
    """What the layer takes of the weight, parameter and program memories."""
    if layer.kind is Kind.VIEW:
        return Share()
    if layer.kind is Kind.HOST:
        return Share(descriptors=len(_exchanged(layer, fused)))
    if work is None:
        return Share(descriptors=1)
    tiles = len(output_tiles(work.outputs, work.groups, hardware.lanes.output))
    words = schedule.weight_words(work, hardware) if work.weight_bits else 0
    return Share(work, words, tiles if work.bias else 0, 1)


def _layer(graph: Graph, layer: Layer, fused: Fused, share: Share, hardware: Hardware) -> LayerPlan:
    cost = _cost(graph, layer, fused, share.work, hardware)
    operations = sum((_operations(graph, node) for node in layer.nodes), Operations())
    macs = operations.total("mac")
    lanes = hardware.lanes.input * hardware.lanes.output
    used = Fraction(macs, lanes * cost.cycles.total) if share.work and macs else None
    return LayerPlan(
        name=layer.name if layer.nodes else f"{_describe(graph, layer)} {layer.name}",
        kind=_describe(graph, layer),
        nodes=tuple(node.name for node in layer.nodes),
        unit="host" if layer.kind is Kind.HOST else "accelerator",
        reason=layer.reason,
        result=layer.result,
        output_shape=graph.values[layer.result].shape,
        stored_weight_bits=_stored(graph, layer),
        weight_words=share.weight_words,
        generated_bits=_generated(graph, layer),
        parameter_bits=share.parameter_words * hardware.parameter_word
        + share.descriptors * DESCRIPTOR_BITS,
        accumulator_width=_accumulator_width(graph, layer),
        operations=operations,
        macs=macs,
        cycles=cost.cycles,
        events=cost.events,
        utilization=used,
    )


def _cost(graph: Graph, layer: Layer, fused: Fused, work: Work | None, hardware: Hardware) -> Cost:
    if layer.kind is Kind.VIEW:
        return Cost(Cycles(), Events())
    result = fused.layouts[layer.result]
    if layer.kind is Kind.LOAD:
        return schedule.load(result)
    if layer.kind is Kind.STORE:
        return schedule.store(result)
    sources = [fused.layouts[name] for name in layer.source]
    if layer.kind is Kind.REORDER:
        return schedule.reorder(sources[0], result)
    if layer.kind is Kind.HOST:
        exchanged = _exchanged(layer, fused)
        out = (schedule.store(fused.layouts[n]) for n in layer.source if n in exchanged)
        answer = schedule.load(result) if layer.result in exchanged else Cost(Cycles(), Events())
        return sum(out, answer)
    assert work is not None  # products and vectors have one
    if layer.kind is Kind.VECTOR:
        return schedule.vector(work, hardware)
    return schedule.product(work, hardware)


def _operations(graph: Graph, node: Node) -> Operations:
    return lookup(node.op).cost(*graph.arguments(node), **node.attrs)


def _stored(graph: Graph, layer: Layer) -> dict[int, int]:
    """Weight bits of the layer by width; on the host they take no word of the machine's."""
    stored: dict[int, int] = {}
    for node in layer.nodes:
        for label, name in zip(lookup(node.op).inputs, node.inputs, strict=True):
            if label in ("weight", "recurrent") and name in graph.constants:
                weight = graph.values[name]
                bits = weight.type.storage_bits
                stored[bits] = stored.get(bits, 0) + weight.size * bits
    return stored


def _generated(graph: Graph, layer: Layer) -> int:
    """Weight bits of the layer that a generator makes: no memory holds them."""
    weights = [
        graph.values[node.inputs[1]]
        for node in layer.nodes
        if node.op in _PRODUCTS and node.inputs[1] not in graph.constants
    ]
    return sum(weight.size * weight.type.storage_bits for weight in weights)


def _accumulator_width(graph: Graph, layer: Layer) -> int | None:
    """Proved register, two's complement, of the first operation that accumulates."""
    for node in layer.nodes:
        if node.op in (*_PRODUCTS, "sum_pool"):
            return graph.values[node.name].type.signed_width
    return None


def _describe(graph: Graph, layer: Layer) -> str:
    if layer.kind in (Kind.LOAD, Kind.STORE):
        return "input" if layer.kind is Kind.LOAD else "output"
    if layer.kind in (Kind.VIEW, Kind.REORDER):
        return str(layer.kind.value)
    if layer.kind is Kind.HOST:
        return " + ".join(_operation(graph, node) for node in layer.nodes)
    return _operation(graph, layer.nodes[0])


def _operation(graph: Graph, node: Node) -> str:
    """An operation with the sizes that matter, for people: "conv 3x3 g2 s2", "max_pool 2x2"."""
    words = [node.op]
    if node.op in ("conv", "wide_conv"):
        words.append("x".join(map(str, graph.values[node.inputs[1]].shape[2:])))
        words += [f"g{node.attrs['groups']}"] if node.attrs["groups"] != 1 else []
        stride = node.attrs["stride"]
        assert isinstance(stride, tuple)
        if set(stride) != {1}:
            words.append("s" + "x".join(map(str, stride if len(set(stride)) > 1 else stride[:1])))
    elif node.op == "max_pool":
        kernel = node.attrs["kernel"]
        assert isinstance(kernel, tuple)
        words.append("x".join(map(str, kernel)))
    return " ".join(words)


def _not_modelled(
    layers: Sequence[LayerPlan], rows: tuple[EnergyRow, ...] | None
) -> tuple[str, ...]:
    found = [
        f"{layer.name} ({layer.kind}) runs on the host: {layer.reason}; its time is not counted"
        for layer in layers
        if layer.unit == "host"
    ]
    if rows is not None:
        priced = {row.event for row in rows}
        missing = [event for event, _ in Events() if event not in priced]
        if missing:
            found.append(f"energy of {', '.join(missing)}: the energy table has no number")
        if any(layer.unit == "host" for layer in layers):
            found.append("energy on the host: only the accelerator's events are priced")
    return tuple(found)
