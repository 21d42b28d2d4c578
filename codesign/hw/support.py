"""What the machine can do: an operation has a unit, or a reason why it runs on the host."""

from __future__ import annotations

from codesign.hw.config import Hardware
from codesign.hw.layout import field_bits, is_bipolar, lanes_per_code
from codesign.ir import Graph, IntType, Node, Value, lookup

#: Widest operand of the multiplier array: four 2 b digits.
OPERAND_BITS = 8

#: Stage of the datapath where an operation happens; a layer's operations pass it in this order.
STAGES = {
    "conv": 0,
    "linear": 0,
    "bit_shift_norm": 1,
    "hwmsb": 2,
    "heaviside": 2,
    "sign": 2,
    "clip": 2,
    "max_pool": 3,
    "channel_shuffle": 4,
    "sum_pool": 5,
    "argmax": 5,
    "reshape": 6,
}


def reason_for_host(graph: Graph, node: Node, hardware: Hardware) -> str:
    """Why `node` cannot run on the machine, one clause; empty where it can."""
    if node.op not in STAGES:
        return f"the machine has no unit for {node.op}"
    unit = lookup(node.op).unit
    if not getattr(hardware.units, unit, True):
        return f"{hardware.name} is built without {unit}"
    source, result = graph.values[node.inputs[0]], graph.values[node.name]
    widest = int(hardware.accumulator.width)
    if node.op in ("conv", "max_pool") and len(source.shape) != 3:
        return f"its map has {len(source.shape) - 1} axes, the machine walks rows and columns"
    if node.op in ("conv", "linear"):
        if node.inputs[1] not in graph.constants:
            return "its weights are generated, the machine has no generator"
        padded = node.attrs.get("padding", (0, 0)) != (0, 0)
        if padded and is_bipolar(source.type) and node.attrs["pad_code"] == 0:
            return "its pad code is 0, the codes of its map are stored as signs"
        return _product_reason(source, graph.values[node.inputs[1]], result, hardware)
    # a normalized value is one bit wider than the accumulator at most: the adder's carry
    if STAGES[node.op] < STAGES["reshape"] and source.type.signed_width > widest + 1:
        return f"its operand has {source.type.signed_width} b, the datapath has {widest + 1} b"
    if node.op == "bit_shift_norm":
        bias = graph.values[node.inputs[1]].data
        assert bias is not None  # a constant input
        limit = 1 << (int(hardware.bias) - 1)
        for extreme in (int(bias.min()), int(bias.max())):
            if not -limit <= extreme < limit:
                return f"bias {extreme:,} does not fit the {int(hardware.bias)} b that are stored"
        total = IntType(source.type.lo + int(bias.min()), source.type.hi + int(bias.max()))
        if total.signed_width > widest + 1:
            return f"operand and bias need {total.signed_width} b, the datapath has {widest + 1} b"
    if node.op == "clip" and result.type.signed_width > widest + 1:
        return f"its codes need {result.type.signed_width} b, the datapath has {widest + 1} b"
    if node.op == "sum_pool" and result.type.signed_width > widest:
        return f"its sums need {result.type.signed_width} b, an accumulator has {widest} b"
    return ""


def _product_reason(source: Value, weight: Value, result: Value, hardware: Hardware) -> str:
    bits = field_bits(source.type)
    if bits > OPERAND_BITS:
        return f"its operand has {bits} b, a product takes at most {OPERAND_BITS} b"
    if lanes_per_code(source.type) > hardware.lanes.input:
        return (
            f"one code of {bits} b takes {lanes_per_code(source.type)} lanes, "
            f"the machine has {hardware.lanes.input}"
        )
    stored, built = weight.type.storage_bits, int(hardware.lanes.weight)
    if stored > built:
        return f"a weight takes {stored} b, a lane multiplies by {built} b"
    limit = 1 << built
    if weight.type.lo < -limit or weight.type.hi >= limit or weight.type.step > 2:
        return (
            f"weights {weight.type} are outside a lane's [-{limit}..{limit - 1}] in steps of 1, 2"
        )
    if result.type.signed_width > int(hardware.accumulator.width):
        return (
            f"its sums need {result.type.signed_width} b, "
            f"an accumulator has {int(hardware.accumulator.width)} b"
        )
    return ""
