"""Plans: the NQE's exact numbers, layers, host, budget, energy; and rules over random graphs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.hw import Hardware, LayerPlan, Plan, plan, shipped
from codesign.ir import Graph, GraphBuilder, IntType, Operations, code_set, lookup, unsigned
from tests.hw import networks

ASIC = Hardware.load("asic_1mb")
TINY = Hardware.load("tiny")


@pytest.fixture(scope="module")
def nqe() -> Plan:
    return plan(networks.nqe(), ASIC)


def layer(result: Plan, name: str) -> LayerPlan:
    return next(layer for layer in result.layers if layer.name == name)


def changed(**replaced: str) -> Hardware:
    """asic_1mb with some of its text replaced, `old_text=new` by (old, new) pairs."""
    text = shipped()["asic_1mb"].read_text()
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return Hardware.parse(text)


class TestNqeOnAsic1Mb:
    """The shipped network: every number is exact and pinned."""

    def test_it_fits(self, nqe: Plan) -> None:
        assert nqe.fits
        assert nqe.problems == ()
        assert nqe.not_modelled == ()
        assert nqe.energy is None
        assert [line.name for line in nqe.budget] == ["weights", "on_chip", "latency"]

    def test_stored_weights_are_the_tables_formula(self, nqe: Plan) -> None:
        channels, formula = 3, []
        for row in networks.NQE:
            bits = 3 if row.levels == 5 else 2
            formula.append(row.outputs * channels // row.groups * 9 * bits)
            channels = row.outputs
        stored = [sum(layer(nqe, f"conv{n}").stored_weight_bits.values()) for n in range(1, 8)]
        assert stored == formula == [5184, 73728, 73728, 147456, 147456, 294912, 147456]
        assert layer(nqe, "fc").stored_weight_bits == {3: 7680}
        assert sum(stored) + 7680 == 897_600

    def test_memories_used_and_built(self, nqe: Plan) -> None:
        found = [(use.name, use.used_bits, use.built_bits, use.peak_at) for use in nqe.memories]
        assert found == [
            ("weights", 928_512, 999_984, "conv6"),
            ("parameters", 18_688, 32_000, "conv5"),
            ("program", 5_376, 7_616, "input image"),
            ("activations 0", 32_768, 131_072, "input image"),
            ("activations 1", 131_072, 131_072, "conv1"),
            ("accumulators", 28_672, 40_960, "conv1"),
        ]
        assert (nqe.peak_activation_bits, nqe.peak_at) == (163_840, "conv1")

    def test_cycles(self, nqe: Plan) -> None:
        assert [(layer.name, layer.cycles.total) for layer in nqe.layers] == [
            ("input image", 1_029),
            ("conv1", 37_132),
            ("conv2", 147_731),
            ("conv3", 37_107),
            ("conv4", 73_908),
            ("conv5", 18_755),
            ("conv6", 36_998),
            ("conv7", 4_695),
            ("fc", 273),
            ("class", 24),
            ("output scores", 10),
            ("output class", 6),
        ]
        assert dict(nqe.cycles) == {
            "compute": 354_880,
            "weight_load": 81,
            "stall": 190,
            "drain": 1_416,
            "vector": 20,
            "input": 1_025,
            "output": 8,
            "control": 48,
        }
        assert nqe.seconds == Fraction(357_668, 100_000_000)
        assert nqe.frames_per_second == Fraction(100_000_000, 357_668)

    def test_goals_of_lane_use(self, nqe: Plan) -> None:
        convolutions = [layer for layer in nqe.layers if layer.kind.startswith("conv")]
        macs = sum(layer.macs for layer in convolutions)
        assert macs == 83_165_184
        assert sum(layer.cycles.compute for layer in convolutions) * 256 * 100 <= macs * 115
        assert nqe.cycles.total * 256 * 100 <= macs * 125
        assert layer(nqe, "conv2").utilization == Fraction(37_748_736, 256 * 147_731)

    def test_operations_are_the_op_tables(self, nqe: Plan) -> None:
        graph = networks.nqe()
        expected = Operations()
        for node in graph.nodes:
            expected += lookup(node.op).cost(*graph.arguments(node), **node.attrs)
        assert nqe.operations == expected
        assert nqe.operations.total("mac") == 83_165_184 + 2_560

    def test_placements_go_to_and_fro(self, nqe: Plan) -> None:
        assert [place.bank for place in nqe.placements] == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
        assert {place.first_word for place in nqe.placements} == {0}

    def test_halving_every_capacity_does_not_fit_and_still_plans(self) -> None:
        halved = changed(
            **{
                "capacity: 1 Mb": "capacity: 500 kb",
                "capacity: 32 kb": "capacity: 16 kb",
                "capacity: 8 kb": "capacity: 4 kb",
                "capacity: 256 Kib": "capacity: 128 Kib",
            }
        )
        result = plan(networks.nqe(), halved)
        assert not result.fits
        assert result.problems == (
            "weights need 928,512 b, asic_1mb builds 499,968 b (428,544 b over); "
            "the largest layer is conv6 with 304,128 b",
            "parameters need 18,688 b, asic_1mb builds 15,872 b (2,816 b over); "
            "the largest layer is conv5 with 4,096 b",
            "program needs 5,376 b, asic_1mb builds 3,584 b (1,792 b over); "
            "the largest layer is input image with 448 b",
            "activations 1 needs 131,072 b, asic_1mb builds 65,536 b (65,536 b over); "
            "it peaks at conv1",
        )
        assert result.cycles == plan(networks.nqe(), ASIC).cycles

    def test_the_2_mb_machine_and_tiny(self) -> None:
        assert plan(networks.nqe(), Hardware.load("asic_2mb")).fits
        small = plan(networks.digits(), TINY)
        assert small.fits
        assert small.cycles.total == 5_051


class TestBudget:
    def test_each_line_names_the_layer_that_breaks_it(self) -> None:
        tight = changed(
            **{
                "  weights: 1 Mb\n": "  weights: 900 kb\n  activations: 100 kb\n"
                "  parameters: 10 kb\n",
                "1.3 Mb": "1.1 Mb",
                "20 ms": "1 ms",
            }
        )
        result = plan(networks.nqe(), tight)
        assert [line.message for line in result.budget] == [
            "weights: 928,512 b needed, the budget allows 900,000 b (28,512 b over); "
            "it breaks at conv7",
            "parameters: 18,688 b needed, the budget allows 10,000 b (8,688 b over); "
            "it breaks at conv5",
            "activations: 163,840 b needed, the budget allows 100,000 b (63,840 b over); "
            "it breaks at conv1",
            "on_chip: 1,145,088 b needed, the budget allows 1,100,000 b (45,088 b over); "
            "it breaks at conv7",
            "latency: 3.577 ms needed, the budget allows 1.000 ms (2.577 ms over); "
            "it breaks at conv2",
        ]
        assert result.problems == tuple(line.message for line in result.budget)

    def test_stored_weights_count_those_of_host_layers(self) -> None:
        b = GraphBuilder("sequence")
        x = b.input("x", (3, 4), unsigned(1))
        weight = b.constant("w", np.ones((24, 4), dtype=np.int64), code_set(2))
        back = b.constant("u", np.ones((24, 8), dtype=np.int64), code_set(2))
        bias = b.constant("b", np.zeros(24, dtype=np.int64), IntType(0, 0))
        start = b.node("start", "fill", [x], shape=(8,), code=-1)
        b.output(b.node("it", "gru", [x, start, weight, back, bias]))
        limit = {"  weights: 1 Mb\n": "  stored_weights: 280 b\n  weights: 1 Mb\n"}
        result = plan(b.build(), changed(**limit))
        assert layer(result, "it").stored_weight_bits == {1: 24 * 4 + 24 * 8}
        assert result.problems == (
            "stored_weights: 288 b needed, the budget allows 280 b (8 b over); it breaks at it",
        )
        assert result.memories[0].used_bits == 0
        (line, *_) = [
            line
            for line in plan(
                b.build(), changed(**{"  weights: 1 Mb\n": "  stored_weights: 288 b\n"})
            ).budget
            if line.name == "stored_weights"
        ]
        assert (line.used, line.ok, line.message) == (288, True, "")

    def test_energy_rows_and_budget(self) -> None:
        priced = changed(
            **{
                "units:": "energy:\n  weight_read: {energy: 4 pJ, source: made up}\n"
                "  stream_word: {energy: 1 pJ, source: made up too}\nunits:",
                "  latency": "  energy: 20 nJ\n  latency",
            }
        )
        result = plan(networks.nqe(), priced)
        assert result.energy is not None
        reads = result.layers[2].events.weight_read
        assert reads == 1_584 * 16  # conv2's weights pass once a block
        rows = {row.event: (row.count, row.each, row.source) for row in result.energy}
        assert list(rows) == ["weight_read", "stream_word"]
        assert rows["stream_word"] == (1_024 + 5 + 1, Fraction(1, 10**12), "made up too")
        assert result.not_modelled == (
            "energy of lane_product, activation_read, activation_write, parameter_read, "
            "accumulate: the energy table has no number",
        )
        line = next(line for line in result.budget if line.name == "energy")
        assert line.used == sum(row.total for row in result.energy)
        assert (line.unit, line.ok) == ("J", False)
        assert line.message.endswith("it breaks at conv2")


def single(op: str, shape: tuple[int, ...], kind: IntType, /, **attrs: object) -> Graph:
    """A graph of one operation without constants."""
    b = GraphBuilder("one")
    b.output(b.node("it", op, [b.input("x", shape, kind)], **attrs))
    return b.build()


def product(
    weight: IntType, kind: IntType | None = None, channels: int = 8, **attrs: object
) -> Graph:
    """A graph of one 3 x 3 convolution on 2 b codes, extremes among its weights."""
    b, kind = GraphBuilder("one"), kind or unsigned(2)
    x = b.input("x", (channels, 8, 8), kind)
    groups = attrs.get("groups", 1)
    assert isinstance(groups, int)
    codes = networks.codes(np.random.default_rng(0), weight, (8, channels // groups, 3, 3))
    b.output(b.node("it", "conv", [x, b.constant("w", codes, weight)], **attrs))
    return b.build()


class TestLayers:
    def test_kinds_for_people(self) -> None:
        grouped = plan(product(code_set(3), groups=2, stride=(2, 2)), ASIC)
        assert layer(grouped, "it").kind == "conv 3x3 g2 s2"
        uneven = plan(product(code_set(3), stride=(1, 2)), ASIC)
        assert layer(uneven, "it").kind == "conv 3x3 s1x2"

    def test_what_nothing_follows_is_fused_into_one_layer(self) -> None:
        result = plan(networks.nqe(), ASIC)
        assert layer(result, "conv4").nodes == (
            "conv4",
            "conv4.norm",
            "conv4.code",
            "conv4.pool",
            "conv4.shuffle",
        )

    def test_a_value_read_twice_or_handed_out_ends_its_layer(self) -> None:
        b = GraphBuilder("fork")
        x = b.input("x", (4, 8, 8), IntType(-8, 7))
        code = b.node("code", "hwmsb", [x], bits=2)
        b.node("pool", "max_pool", [code])
        b.node("sum", "sum_pool", [code])
        b.output("pool")
        b.output("sum")
        b.output(code)
        result = plan(b.build(), TINY)
        assert [entry.nodes for entry in result.layers if entry.nodes] == [
            ("code",),
            ("pool",),
            ("sum",),
        ]
        assert [entry.kind for entry in result.layers] == [
            "input",
            "hwmsb",
            "max_pool 2x2",
            "sum_pool",
            "output",
            "output",
            "output",
        ]

    def test_overlapping_or_oversized_windows_pool_in_their_own_layer(self) -> None:
        for kernel, stride in (((3, 3), (2, 2)), ((5, 5), (5, 5))):
            b = GraphBuilder("pool")
            x = b.input("x", (4, 8, 8), unsigned(2))
            w = b.constant("w", np.ones((4, 4, 1, 1), dtype=np.int64), code_set(2))
            y = b.node("sign", "sign", [b.node("conv", "conv", [x, w])])
            b.output(b.node("pool", "max_pool", [y], kernel=kernel, stride=stride))
            result = plan(b.build(), TINY)
            assert [entry.nodes for entry in result.layers if entry.nodes] == [
                ("conv", "sign"),
                ("pool",),
            ]

    def test_reshapes_are_views_or_reorders(self) -> None:
        b = GraphBuilder("flat")
        x = b.input("x", (4, 4, 4), unsigned(2))
        flat = b.node("flat", "reshape", [x], shape=(64,))
        w = b.constant("w", np.ones((10, 64), dtype=np.int64), code_set(2))
        b.output(b.node("fc", "linear", [flat, w]))
        result = plan(b.build(), TINY)
        view = layer(result, "flat")
        assert (view.kind, view.cycles.total, view.parameter_bits) == ("view", 0, 0)
        # 16 taps of 4 channels, 3 output tiles: the window is the map
        assert layer(result, "fc").cycles.compute == 16 * 3
        assert [place.value for place in result.placements] == ["x", "fc"]
        moved = plan(single("reshape", (4, 4, 4), unsigned(2), shape=(16, 2, 2)), TINY)
        assert layer(moved, "it").kind == "reorder"
        assert layer(moved, "it").cycles.vector == 64 + 2


class TestHost:
    """What the machine cannot do: the reason, the operations and the transfers; never nothing."""

    @pytest.mark.parametrize(
        ("graph", "hardware", "reason"),
        [
            (product(IntType(-7, 7)), ASIC, "a weight takes 4 b, a lane multiplies by 3 b"),
            (product(IntType(0, 15, 5)), ASIC,
             "weights [0..15/5] are outside a lane's [-8..7] in steps of 1, 2"),
            (product(code_set(3), unsigned(8)),
             Hardware.parse(shipped()["tiny"].read_text().replace("input: 4 ", "input: 2 ")),
             "one code of 8 b takes 4 lanes, the machine has 2"),
            (product(code_set(5), unsigned(8), 1024), ASIC,
             "its sums need 22 b, an accumulator has 20 b"),
            (product(IntType(7, 7), unsigned(8), 64), ASIC,
             "its sums need 21 b, an accumulator has 20 b"),  # 20 b and a sign
            (product(code_set(3), IntType(-1, -1), padding=(1, 1)), ASIC,
             "its pad code is 0, the codes of its map are stored as signs"),
            (single("sum_pool", (1, 64, 64), unsigned(8)), ASIC,
             "its sums need 21 b, an accumulator has 20 b"),
            (single("sign", (4, 2, 2), IntType(-(2**30), 2**30)), ASIC,
             "its operand has 32 b, the datapath has 21 b"),
            (single("heaviside", (4, 2, 2), unsigned(21)), ASIC,
             "its operand has 22 b, the datapath has 21 b"),
            (single("clip", (4, 2, 2), unsigned(8), lo=2**25, hi=2**25 + 3), ASIC,
             "its codes need 27 b, the datapath has 21 b"),
            (single("argmax", (10,), unsigned(4)), changed(**{"argmax: true": "argmax: false"}),
             "asic_1mb is built without argmax"),
            (single("max_pool", (1, 5000, 2), unsigned(1)), ASIC,
             "input_height is 5,000, the descriptor holds at most 4,095"),
            (single("max_pool", (1, 4, 4, 4), unsigned(1), kernel=(2, 2, 2), stride=(2, 2, 2)),
             ASIC, "its map has 3 axes, the machine walks rows and columns"),
        ],
    )  # fmt: skip
    def test_reasons(self, graph: Graph, hardware: Hardware, reason: str) -> None:
        result = plan(graph, hardware)
        host = layer(result, "it")
        assert (host.unit, host.reason) == ("host", reason)
        assert result.not_modelled == (
            f"it ({host.kind}) runs on the host: {reason}; its time is not counted",
        )
        assert host.operations == result.operations
        assert host.operations.counts
        assert host.utilization is None
        # the operand goes out and the result comes in, a descriptor each
        operand, answer = result.layers[0].cycles.input, result.layers[-1].cycles.output
        assert dict(host.cycles) == {
            **dict.fromkeys(dict(host.cycles), 0),
            "output": operand,
            "input": answer,
            "control": 8,
        }

    def test_what_goes_from_host_to_host_never_enters_the_machine(self) -> None:
        b = GraphBuilder("chain")
        x = b.input("x", (4, 4, 4), unsigned(2))
        b.node("first", "shift_add", [x, x])
        b.node("flat", "reshape", ["first"], shape=(64,))
        b.node("back", "reshape", ["flat"], shape=(4, 4, 4))
        b.node("second", "shift_add", ["back", "first"])
        b.node("third", "shift_add", ["second", x])
        b.node("pool", "max_pool", ["third"])
        b.output("pool")
        result = plan(b.build(), ASIC)
        assert {place.value for place in result.placements} == {"x", "third", "pool"}
        operand, answer = layer(result, "input x").cycles.input, layer(result, "third").cycles.input
        found = {
            name: (layer(result, name).cycles.output, layer(result, name).cycles.input)
            for name in ("first", "second", "third")
        }
        assert found == {"first": (2 * operand, 0), "second": (0, 0), "third": (operand, answer)}
        assert layer(result, "second").cycles.total == layer(result, "second").parameter_bits == 0

    def test_generated_weights_are_counted_but_not_stored(self) -> None:
        b = GraphBuilder("generated")
        x = b.input("x", (16, 4, 4), unsigned(2))
        w = b.node("w", "ca_weights", [], shape=(32, 16, 1, 1), cells=32, seed=7)
        b.output(b.node("it", "conv", [x, w]))
        result = plan(b.build(), ASIC)
        host = layer(result, "it")
        assert host.reason == "its weights are generated, the machine has no generator"
        assert (host.kind, host.nodes) == ("conv 1x1 + ca_weights", ("it", "w"))
        assert (host.generated_bits, host.stored_weight_bits) == (32 * 16 * 2, {})
        assert [place.value for place in result.placements] == ["x", "it"]

    @pytest.mark.parametrize(
        ("kind", "most", "reason"),
        [
            (unsigned(4), 40_000, "bias 40,000 does not fit the 16 b that are stored"),
            (unsigned(20), 1, "operand and bias need 22 b, the datapath has 21 b"),
            (unsigned(20), 0, ""),
        ],
    )
    def test_biases(self, kind: IntType, most: int, reason: str) -> None:
        b = GraphBuilder("bias")
        x = b.input("x", (2, 2, 2), kind)
        bias = b.constant("b", np.array([0, most]), IntType(0, most))
        b.output(b.node("it", "bit_shift_norm", [x, bias]))
        assert layer(plan(b.build(), ASIC), "it").reason == reason

    def test_a_wide_operand_of_linear(self) -> None:
        b = GraphBuilder("wide")
        w = b.constant("w", np.ones((2, 4), dtype=np.int64), code_set(2))
        b.output(b.node("it", "linear", [b.input("x", (4,), unsigned(9)), w]))
        result = plan(b.build(), ASIC)
        assert layer(result, "it").reason == "its operand has 9 b, a product takes at most 8 b"
        # its weights are the network's, but take no word of the machine's
        assert layer(result, "it").stored_weight_bits == {1: 8}
        assert result.memories[0].used_bits == 0


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A legal graph: operations on any earlier value, so that values branch and outlive."""
    b = GraphBuilder("random")
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kinds = st.sampled_from([unsigned(2), unsigned(8), code_set(2), IntType(-4, 3), unsigned(1)])
    maps = []
    for number in range(draw(st.integers(1, 2))):
        shape = (draw(st.integers(1, 9)), draw(st.integers(1, 6)), draw(st.integers(1, 6)))
        maps.append(b.input(f"in{number}", shape, draw(kinds)))
    values = list(maps)
    for number in range(draw(st.integers(1, 9))):
        x = draw(st.sampled_from(values[-3:]))
        value, name = b.value(x), f"n{number}"
        rank, narrow = len(value.shape), value.type.storage_bits <= 8 and value.type.width <= 8
        options = ["hwmsb", "sign", "heaviside", "bit_shift_norm"] if rank else ["reshape"]
        options += ["conv", "max_pool"] if rank == 3 and narrow else []
        options += ["sum_pool"] if rank == 3 and value.type.width < 20 else []
        options += ["channel_shuffle", "reshape"] if rank else []
        options += ["linear", "argmax"] if rank == 1 else []
        op = draw(st.sampled_from(options))
        inputs, attrs = [x], {}
        if op in ("conv", "linear", "bit_shift_norm"):
            kind = code_set(draw(st.sampled_from([2, 3, 5, 16])))
            outputs = draw(st.integers(1, 9))
            shapes = {
                "conv": (outputs, value.shape[0], 1, 1) if rank else (),
                "linear": (outputs, value.size),
                "bit_shift_norm": value.shape[:1],
            }
            codes = networks.codes(rng, kind, shapes[op])
            inputs.append(b.constant(f"{name}.c", codes, kind))
        if op == "max_pool":
            window = tuple(draw(st.integers(1, min(3, size))) for size in value.shape[1:])
            attrs = {"kernel": window, "stride": draw(st.sampled_from([window, (1, 1)]))}
        if op == "channel_shuffle":
            attrs = {"groups": value.shape[0]}
        if op == "reshape":
            size = value.size
            attrs = {"shape": draw(st.sampled_from([(size,), (1, size), (size, 1, 1)]))}
        values.append(b.node(name, op, inputs, **attrs))
    for name in draw(
        st.lists(st.sampled_from(values[len(maps) :]), min_size=1, max_size=3, unique=True)
    ):
        b.output(name)
    return b.build()


class TestAnyGraph:
    machines = st.sampled_from([ASIC, Hardware.load("asic_2mb"), TINY])

    @settings(max_examples=150, deadline=None)
    @given(graphs(), machines)
    def test_memory_map_is_legal_and_its_peak_is_proved(
        self, graph: Graph, hardware: Hardware
    ) -> None:
        result = plan(graph, hardware)
        occupied: dict[tuple[str, int, int], set[int]] = {}
        for place in result.placements:
            words = set(range(place.first_word, place.first_word + place.words))
            assert words
            for index in range(place.from_layer, place.to_layer + 1):
                key = (place.memory, place.bank, index)
                assert not words & occupied.get(key, set())  # no two live maps share a word
                occupied.setdefault(key, set()).update(words)
        banks: dict[str, int] = {}
        alive = [0] * len(result.layers)
        for (memory, bank, index), words in occupied.items():
            name = "skip" if memory == "skip" else f"activations {bank}"
            banks[name] = max(banks.get(name, 0), max(words) + 1)
            alive[index] += len(words)
        uses = {use.name: use for use in result.memories}
        for name, high in banks.items():
            assert uses[name].used_bits == high * hardware.activation_word
        assert result.peak_activation_bits == max(alive) * hardware.activation_word
        assert result.layers[alive.index(max(alive))].name == result.peak_at

    @settings(max_examples=150, deadline=None)
    @given(graphs(), machines)
    def test_no_layer_writes_a_bank_that_it_reads_and_all_it_reads_is_alive(
        self, graph: Graph, hardware: Hardware
    ) -> None:
        result = plan(graph, hardware)
        place = {entry.value: entry for entry in result.placements}
        for index, entry in enumerate(result.layers):
            if not entry.nodes or entry.kind == "view":
                continue
            maps = {
                name
                for name in graph.node(entry.nodes[0]).inputs
                if not graph.values[name].is_constant
            }
            if len(maps) > 1:  # on the host, which has read all before it writes
                continue
            source = graph.node(entry.nodes[0]).inputs[0]
            views = {v.result: v for v in result.layers if v.kind == "view"}
            while source in views and source not in place:  # its words are its source's
                source = graph.node(views[source].nodes[0]).inputs[0]
            if source not in place:  # handed from host to host
                assert entry.unit == "host"
                continue
            read, write = place[source], place.get(entry.result)
            assert read.from_layer < index <= read.to_layer
            if write is not None:
                assert (read.memory, read.bank) != (write.memory, write.bank)

    @settings(max_examples=150, deadline=None)
    @given(graphs(), machines)
    def test_every_node_is_in_one_layer_and_nothing_is_free(
        self, graph: Graph, hardware: Hardware
    ) -> None:
        result = plan(graph, hardware)
        done = [name for entry in result.layers for name in entry.nodes]
        assert sorted(done) == sorted(node.name for node in graph.nodes)
        expected = Operations()
        for node in graph.nodes:
            expected += lookup(node.op).cost(*graph.arguments(node), **node.attrs)
        assert result.operations == expected
        assert len({entry.name for entry in result.layers}) == len(result.layers)
        for entry in result.layers:
            if entry.unit != "host":
                assert entry.kind == "view" or entry.cycles.total > 0
            assert (entry.unit == "host") == bool(entry.reason)
        assert result == plan(graph, hardware)
