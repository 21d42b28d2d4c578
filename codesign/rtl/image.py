"""`image(graph, hardware)`: the words that make the machine run a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from codesign.errors import OverBudgetError, UnsupportedError
from codesign.hw import Cycles, Hardware, Plan, plan
from codesign.hw.descriptor import FIELDS, beyond, pack_descriptor
from codesign.hw.fuse import Fused, Kind, Layer, fuse
from codesign.hw.tiling import input_tiles, output_tiles, tile_places
from codesign.hw.work import Work, geometry, work_of
from codesign.ir import Graph, IntArray, IntType, Node
from codesign.rtl.codes import Activation, Form, Operation, Reduce, encode, form_of
from codesign.rtl.words import Map, fields_to_words

_OPERATIONS = {
    Kind.LOAD: Operation.LOAD,
    Kind.STORE: Operation.STORE,
    Kind.PRODUCT: Operation.PRODUCT,
    Kind.VECTOR: Operation.VECTOR,
    Kind.REORDER: Operation.REORDER,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One descriptor of the program and what is known of its layer.

    Attributes:
        name: the layer's name in the plan.
        kind: what it does, for people.
        fields: every field of the descriptor; fields that the operation does not use are zero.
        map: the map that the layer writes; for a store, the one that goes out.
        cycles: what the model predicts.
    """

    name: str
    kind: str
    fields: Mapping[str, int]
    map: Map
    cycles: Cycles

    @property
    def operation(self) -> Operation:
        """What the descriptor does."""
        return Operation(self.fields["operation"])


@dataclass(frozen=True, slots=True)
class Image:
    """A network as the words of the machine's memories.

    Attributes:
        model: the graph's name.
        hardware: the machine.
        plan: the model's account of the same program.
        entries: one a descriptor, in order; a view has none.
        program: descriptors; the last one says so itself.
        weights: words of the weight memory from address 0.
        parameters: words of the parameter memory from address 0.
    """

    model: str
    hardware: Hardware
    plan: Plan
    entries: tuple[Entry, ...]
    program: tuple[int, ...]
    weights: tuple[int, ...]
    parameters: tuple[int, ...]

    @property
    def inputs(self) -> tuple[Map, ...]:
        """The maps that come in, in the order of the stream."""
        return self._streamed(Operation.LOAD)

    @property
    def outputs(self) -> tuple[Map, ...]:
        """The maps that go out, in the order of the stream."""
        return self._streamed(Operation.STORE)

    def _streamed(self, operation: Operation) -> tuple[Map, ...]:
        return tuple(entry.map for entry in self.entries if entry.operation is operation)


def image(graph: Graph, hardware: Hardware) -> Image:
    """The memory words of `graph` on `hardware`.

    Raises UnsupportedError where a layer has no unit or a number exceeds its field, OverBudgetError
    where a memory is too small: one line with layer, need and have. Budget lines are not looked at.
    """
    costs = plan(graph, hardware)
    _need_machine(costs)
    return _Builder(graph, hardware, costs).build()


def _need_machine(costs: Plan) -> None:
    machine = costs.hardware.name
    for layer in costs.layers:
        if layer.unit == "host":
            raise UnsupportedError(
                f"{costs.model}: {layer.name} ({layer.kind}) does not run on {machine}: "
                f"{layer.reason}; change the layer or the machine"
            )
    for memory in costs.memories:
        if not memory.fits:
            raise OverBudgetError(f"{costs.model}: {memory.message}; build more or store less")


class _Builder:
    """Goes through the layers and appends words."""

    def __init__(self, graph: Graph, hardware: Hardware, costs: Plan) -> None:
        self.graph = graph
        self.hardware = hardware
        self.costs = costs
        self.fused = fuse(graph, hardware)
        self.places = _places(self.fused, costs)
        self.weights: list[int] = []
        self.parameters: list[int] = []

    def build(self) -> Image:
        entries: list[Entry] = []
        layers = [layer for layer in self.fused.layers if layer.kind is not Kind.VIEW]
        last = {layer.kind: layer for layer in layers}  # of each kind
        for layer, cost in zip(self.fused.layers, self.costs.layers, strict=True):
            if layer.kind is Kind.VIEW:
                continue
            fields = self._fields(layer)
            fields["last"] = int(layer is layers[-1])
            streamed = layer.kind in (Kind.LOAD, Kind.STORE)
            fields["frame_end"] = int(streamed and layer is last[layer.kind])
            exceeded = beyond(fields)
            if exceeded:
                raise UnsupportedError(f"{self.graph.name}: {cost.name}: {exceeded}")
            place = self._map(layer.source[0] if layer.kind is Kind.STORE else layer.result)
            entries.append(Entry(cost.name, cost.kind, fields, place, cost.cycles))
        return Image(
            model=self.graph.name,
            hardware=self.hardware,
            plan=self.costs,
            entries=tuple(entries),
            program=tuple(pack_descriptor(entry.fields) for entry in entries),
            weights=tuple(self.weights),
            parameters=tuple(self.parameters),
        )

    def _map(self, value: str) -> Map:
        bank, base = self.places[self.fused.home[value]]
        described = self.graph.values[value]
        return Map(
            value, described.shape, self.fused.layouts[value], form_of(described.type), bank, base
        )

    def _fields(self, layer: Layer) -> dict[str, int]:
        fields = dict.fromkeys((field.name for field in FIELDS), 0)
        fields["operation"] = _OPERATIONS[layer.kind]
        # a stream's map is described on both sides: what comes in is what is written
        read = self._map(layer.source[0] if layer.source else layer.result)
        written = self._map(layer.result)
        if layer.kind is not Kind.LOAD:
            fields |= {"source_bank": read.bank, "source_base": read.base}
        if layer.kind is not Kind.STORE:
            fields |= {"target_bank": written.bank, "target_base": written.base}
        fields |= _side("input", read) | _side("output", written)
        if layer.kind in (Kind.PRODUCT, Kind.VECTOR):
            work = work_of(self.graph, layer, self.fused)
            fields |= geometry(work) | _reduction(work)
            for node in layer.nodes:
                self._operation(fields, node, work)
        return fields

    def _operation(self, fields: dict[str, int], node: Node, work: Work) -> None:
        """Add what one operation of the layer asks for."""
        attrs = {name: value for name, value in node.attrs.items() if isinstance(value, int)}
        if node.op in ("conv", "linear"):
            source = self.graph.values[node.inputs[0]].type
            weight = self.graph.values[node.inputs[1]]
            assert weight.data is not None  # a constant input
            rows, columns = work.block(self.hardware)
            pad = encode(np.array(attrs.get("pad_code", 0)), form_of(source), 8)
            fields |= {
                # where nothing is added the code is of no use, and need not be one of the map's
                "pad_code": int(pad) if any(work.padding) else 0,
                "block_rows": rows,
                "block_columns": columns,
                "weight_base": len(self.weights),
                "weight_bits": weight.type.storage_bits,
                "weight_low": weight.type.lo & 0x1FF,
                "weight_step": weight.type.step,
            }
            kernels = weight.data.reshape(work.outputs, -1, *work.kernel)
            self.weights += weight_words(kernels, weight.type, work, self.hardware)
        elif node.op == "bit_shift_norm":
            bias = self.graph.values[node.inputs[1]].data
            assert bias is not None  # a constant input
            fields |= {"bias": 1, "bias_base": len(self.parameters), "shift": attrs["shift"]}
            self.parameters += bias_words(bias, work, self.hardware)
        elif node.op == "hwmsb":
            fields["shift"] += attrs["shift"]  # floors compose: one shift by the sum
            fields |= {"activation": Activation.CLIP, "clip_high": (1 << attrs["bits"]) - 1}
        elif node.op == "clip":
            low, high = attrs["lo"] & 0xFFFFFFFF, attrs["hi"] & 0xFFFFFFFF
            fields |= {"activation": Activation.CLIP, "clip_low": low, "clip_high": high}
        elif node.op in ("heaviside", "sign"):
            fields["activation"] = Activation[node.op.upper()]


def _places(fused: Fused, costs: Plan) -> dict[str, tuple[int, int]]:
    """Bank and first word of every map that has words of its own."""
    skip = costs.hardware.memories.activations.banks
    return {
        place.value: (skip if place.memory == "skip" else place.bank, place.first_word)
        for place in costs.placements
    }


def _side(prefix: str, place: Map) -> dict[str, int]:
    layout = place.layout
    return {
        f"{prefix}_channels": layout.channels,
        f"{prefix}_height": layout.height,
        f"{prefix}_width": layout.width,
        f"{prefix}_form": place.form,
        f"{prefix}_lanes": layout.lanes.bit_length() - 1,
    }


def _reduction(work: Work) -> dict[str, int]:
    pooled = work.pool != (1, 1) or work.pool_stride != (1, 1)
    reduce = {"": Reduce.NONE, "sum": Reduce.SUM, "argmax": Reduce.INDEX}[work.reduce]
    return {"pool": int(pooled), "reduce": reduce}


def weight_words(
    kernels: IntArray, code_type: IntType, work: Work, hardware: Hardware
) -> list[int]:
    """The tiles of a layer's weights (outputs x inputs of a group x rows x columns), packed.

    Tiles in the order of use: output tile, tap, input tile. In a tile: output channel slowest,
    input channel fastest, filled with code 0 to `tile_places`; each tile begins with a word.
    """
    bits = work.weight_bits
    per_word = int(hardware.weight_word) // bits
    codes = (kernels.astype(np.int64) - code_type.lo) // code_type.step
    words: list[int] = []
    for tile in output_tiles(work.outputs, work.groups, hardware.lanes.output):
        mine = codes[tile.first : tile.first + tile.outputs]
        ends = np.cumsum(input_tiles(work.source, tile.group, work.groups))[:-1]
        for row in range(work.kernel[0]):
            for column in range(work.kernel[1]):
                for part in np.split(mine[:, :, row, column], ends, axis=1):
                    idle = tile_places(part.shape[1]) - part.shape[1]
                    filled = np.pad(part, ((0, 0), (0, idle)))
                    words += fields_to_words(filled.reshape(-1), bits, per_word)
    return words


def bias_words(bias: IntArray, work: Work, hardware: Hardware) -> list[int]:
    """A word an output tile; the bias of lane 0's channel is lowest, idle lanes are zero."""
    bits, lanes = int(hardware.bias), hardware.lanes.output
    words: list[int] = []
    for tile in output_tiles(work.outputs, work.groups, lanes):
        mine = encode(bias[tile.first : tile.first + tile.outputs], Form.SIGNED, bits)
        words += fields_to_words(mine, bits, lanes)
    return words
