"""Images: words of maps, weights and biases, descriptors, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import CodesignError, OverBudgetError, UnsupportedError
from codesign.hw import Hardware
from codesign.hw.descriptor import unpack_descriptor
from codesign.hw.layout import Layout, layout
from codesign.hw.work import Work
from codesign.ir import GraphBuilder, IntType, Value, code_set, unsigned
from codesign.rtl import Map, image, pack, unpack
from codesign.rtl.codes import Form, Operation, form_of
from codesign.rtl.image import bias_words, weight_words
from codesign.rtl.words import lanes_to_words, words_to_lanes
from tests.hw import networks
from tests.strategies import map_types, random_codes

TINY = Hardware.load("tiny")
ASIC = Hardware.load("asic_1mb")
WIDE = IntType(-8, 7)


def place(shape: tuple[int, ...], kind: IntType, lanes: int) -> Map:
    return Map("m", shape, layout(Value(shape, kind), lanes), form_of(kind), 0, 0)


class TestMaps:
    @given(
        shape=st.lists(st.integers(1, 9), max_size=3).map(tuple),
        kind=map_types,
        lanes=st.sampled_from([1, 2, 4, 16]),
        seed=st.integers(0, 999),
    )
    def test_what_is_packed_is_unpacked(
        self, shape: tuple[int, ...], kind: IntType, lanes: int, seed: int
    ) -> None:
        where, codes = place(shape, kind, lanes), random_codes(shape, kind, seed)
        packed = pack(where, codes)
        assert packed.shape == (where.layout.words, lanes)
        words = lanes_to_words(packed)
        assert np.array_equal(words_to_lanes(words, lanes), packed)
        assert np.array_equal(unpack(where, packed), codes)

    def test_lane_0_is_lowest(self) -> None:
        where = place((3, 1, 2), unsigned(2), 4)
        # pixel 0 has the channels 1, 2, 3, pixel 1 has 0, 3, 1; a word each
        words = lanes_to_words(pack(where, np.array([[[1, 0]], [[2, 3]], [[3, 1]]])))
        assert words == [0b00_11_10_01, 0b00_01_11_00]

    def test_wide_codes_lie_digit_by_digit(self) -> None:
        words = lanes_to_words(pack(place((2,), unsigned(8), 4), np.array([0xA5, 0x3C])))
        assert words == [0xA5, 0x3C]

    def test_forms(self) -> None:
        signed, bipolar = place((2,), IntType(-3, 3), 4), place((3,), IntType(-1, 1, 2), 4)
        assert (signed.form, bipolar.form) == (Form.SIGNED, Form.BIPOLAR)
        assert lanes_to_words(pack(signed, np.array([-3, 2]))) == [0b0010_1101]
        assert lanes_to_words(pack(bipolar, np.array([1, -1, 1]))) == [0b01_00_01]
        assert form_of(IntType(-1, -1)) is Form.BIPOLAR
        assert form_of(IntType(-1, 1)) is Form.SIGNED
        assert form_of(IntType(-1, 0)) is Form.SIGNED
        assert form_of(IntType(0, 1)) is Form.UNSIGNED


class TestWeights:
    def test_a_tile_by_hand(self) -> None:
        """2 x 3 ternary codes, six a word of 12 b; output slowest, 4 places an output."""
        source = Layout(3, 1, 1, 1, 4)
        work = Work(source, source, 2, (1, 1), weight_bits=2)
        kernels = np.array([[-1, 0, 1], [1, 1, -1]]).reshape(2, 3, 1, 1)
        words = weight_words(kernels, code_set(3), work, TINY)
        assert words == [0b10_10_00_10_01_00, 0b00_00]

    def test_steps_groups_and_parts_of_words(self) -> None:
        """Groups of 3 on words of 4 lanes: the second begins in a word and ends in the next."""
        source = Layout(6, 2, 2, 1, 4)
        work = Work(source, source, 2, (2, 2), groups=2, weight_bits=1)
        kernels = np.array([[1, -1, 1], [-1, 1, 1]]).reshape(2, 3, 1, 1)
        words = weight_words(kernels, code_set(2), work, TINY)
        assert words == [0b101, 0b0, 0b11]

    def test_biases(self) -> None:
        source = Layout(5, 1, 1, 1, 4)
        work = Work(source, source, 5, (1, 1), weight_bits=1, bias=True)
        words = bias_words(np.array([1, -1, 2, 3, -2]), work, TINY)
        assert words == [0x0003_0002_FFFF_0001, 0xFFFE]


class TestProgram:
    @pytest.mark.parametrize(
        ("graph", "hardware"),
        [(networks.nqe(), ASIC), (networks.digits(), TINY)],
        ids=["nqe", "digits"],
    )
    def test_words_are_as_many_as_the_plan_says(self, graph, hardware) -> None:  # type: ignore[no-untyped-def]
        made = image(graph, hardware)
        assert len(made.program) == len(made.plan.layers)
        assert len(made.weights) == sum(layer.weight_words for layer in made.plan.layers)
        used = {use.name: use.used_bits for use in made.plan.memories}
        assert len(made.parameters) * hardware.parameter_word == used["parameters"]
        assert [unpack_descriptor(word) for word in made.program] == [
            dict(entry.fields) for entry in made.entries
        ]
        assert [entry.cycles for entry in made.entries] == [
            layer.cycles for layer in made.plan.layers
        ]
        assert [place.value for place in made.inputs] == list(graph.inputs)
        assert [place.value for place in made.outputs] == list(graph.outputs)

    def test_the_ends_of_the_program_and_of_the_streams_are_marked(self) -> None:
        builder = GraphBuilder("two")
        for name in "ab":
            builder.output(builder.node(f"{name}.y", "sign", [builder.input(name, (4,), WIDE)]))
        made = image(builder.build(), TINY)
        marks = [
            (entry.operation, entry.fields["last"], entry.fields["frame_end"])
            for entry in made.entries
        ]
        assert marks == [
            (Operation.LOAD, 0, 0),
            (Operation.LOAD, 0, 1),
            (Operation.VECTOR, 0, 0),
            (Operation.VECTOR, 0, 0),
            (Operation.STORE, 0, 0),
            (Operation.STORE, 1, 1),
        ]

    def test_a_shuffle_is_described_with_the_channels_of_a_group(self) -> None:
        builder = GraphBuilder("shuffle")
        x = builder.input("x", (6,), unsigned(2))
        builder.output(builder.node("y", "channel_shuffle", [x], groups=2))
        builder.output(builder.node("z", "heaviside", [x]))
        made = image(builder.build(), TINY)
        found = [
            (entry.fields["shuffle"], entry.fields["shuffle_channels"]) for entry in made.entries
        ]
        assert found == [(0, 0), (2, 3), (1, 6), (0, 0), (0, 0)]

    def test_views_have_no_descriptor(self) -> None:
        builder = GraphBuilder("flat")
        x = builder.input("x", (2, 2, 2), unsigned(2))
        x = builder.node("flat", "reshape", [x], shape=(8,))
        weight = builder.constant("w", np.ones((3, 8), np.int64), code_set(3))
        builder.output(builder.node("fc", "linear", [x, weight]))
        made = image(builder.build(), TINY)
        assert [entry.name for entry in made.entries] == ["input x", "fc", "output fc"]
        assert [entry.operation for entry in made.entries] == [
            Operation.LOAD,
            Operation.PRODUCT,
            Operation.STORE,
        ]
        assert made.entries[1].fields["kernel_rows"] == 2


class TestRefused:
    def refused(self, graph, hardware, error: type[CodesignError]) -> str:  # type: ignore[no-untyped-def]
        with pytest.raises(error) as caught:
            image(graph, hardware)
        return str(caught.value)

    def test_a_layer_without_a_unit(self) -> None:
        builder = GraphBuilder("wide")
        x = builder.input("x", (2, 4, 4), unsigned(8))
        weight = builder.constant("w", np.full((1, 2, 3, 3), 100), IntType(0, 100))
        builder.output(builder.node("conv", "conv", [x, weight]))
        assert self.refused(builder.build(), TINY, UnsupportedError) == (
            "wide: conv (conv 3x3) does not run on tiny: a weight takes 7 b, a lane multiplies "
            "by 3 b; change the layer or the machine"
        )

    def test_a_memory_that_is_too_small(self) -> None:
        assert self.refused(networks.nqe(), TINY, OverBudgetError) == (
            "nqe: weights need 1,009,728 b, tiny builds 48,000 b (961,728 b over); "
            "the largest layer is conv6 with 331,776 b; build more or store less"
        )

    def test_a_map_that_no_descriptor_describes(self) -> None:
        builder = GraphBuilder("long")
        x = builder.input("x", (1, 4096, 1), unsigned(2))
        builder.output(builder.node("y", "reshape", [x], shape=(1, 4096)))
        assert self.refused(builder.build(), ASIC, UnsupportedError) == (
            "long: input x: input_height is 4,096, the descriptor holds at most 4,095"
        )
