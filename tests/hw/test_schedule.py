"""The closed form equals the stepped schedule, cycle by cycle and event by event."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.hw import Hardware, schedule
from codesign.hw.layout import Layout
from codesign.hw.quantity import SIZE
from codesign.hw.schedule import Cost
from codesign.hw.work import Work
from tests.hw import stepper

TINY = Hardware.load("tiny")
DERIVED = {"lane_product", "stream_word"}  # not counted by the stepper


def machine(inputs: int, outputs: int, word: int, pixels: int) -> Hardware:
    """A machine with these lanes, weight word and block."""
    return TINY.model_copy(
        update={
            "lanes": TINY.lanes.model_copy(update={"input": inputs, "output": outputs}),
            "weight_word": SIZE.parse(f"{word} b"),
            "accumulator": TINY.accumulator.model_copy(update={"pixels": pixels}),
        }
    )


machines = st.builds(
    machine,
    st.sampled_from([4, 8, 16]),
    st.sampled_from([1, 3, 4, 8]),
    st.sampled_from([3, 12, 48]),
    st.sampled_from([2, 6, 8, 16, 64]),
)


@st.composite
def layers(draw: st.DrawFn) -> tuple[Work, Hardware]:
    """A product layer of any shape on any machine, small enough to step through."""
    hardware = draw(machines)
    lanes = hardware.lanes.input
    groups = draw(st.sampled_from([1, 1, 2, 3, 4]))
    channels = groups * draw(st.integers(1, 9))
    outputs = groups * draw(st.integers(1, 9))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = (draw(st.integers(0, 1)), draw(st.integers(0, 1)))
    height, width = draw(st.integers(kernel[0], 7)), draw(st.integers(kernel[1], 9))
    size = tuple(
        (length + 2 * pad - window) // step + 1
        for length, pad, window, step in zip((height, width), padding, kernel, stride, strict=True)
    )
    pool = draw(st.sampled_from([(1, 1), (1, 1), (2, 2), (2, 1), (3, 2)]))
    if pool[0] > size[0] or pool[1] > size[1] or pool[0] * pool[1] > hardware.accumulator.pixels:
        pool = (1, 1)
    reduce = draw(st.sampled_from(["", "", "sum"]))
    if size == (1, 1) and draw(st.booleans()):
        reduce, pool = "argmax", (1, 1)
    shuffle = (
        1
        if reduce == "argmax"
        else draw(st.sampled_from([n for n in range(1, outputs + 1) if outputs % n == 0]))
    )
    digits, written = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 2, 8]))
    source = Layout(channels, height, width, digits, lanes)
    rows, columns = (s // p for s, p in zip(size, pool, strict=True))
    target = Layout(outputs, rows, columns, written, lanes)
    if reduce:
        target = Layout(1 if reduce == "argmax" else outputs, 1, 1, written, lanes)
    work = Work(
        source,
        target,
        outputs,
        (size[0], size[1]),
        groups=groups,
        kernel=kernel,
        stride=stride,
        padding=padding,
        weight_bits=draw(st.sampled_from([1, 2, 3])),
        bias=draw(st.booleans()),
        pool=pool,
        pool_stride=pool,
        shuffle=shuffle,
        reduce=reduce,
    )
    return work, hardware


@st.composite
def passes(draw: st.DrawFn) -> tuple[Work, Hardware]:
    """A vector layer of any shape."""
    hardware = draw(machines)
    lanes, channels = hardware.lanes.input, draw(st.integers(1, 20))
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    window = (draw(st.integers(1, height)), draw(st.integers(1, width)))
    step = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    reduce = draw(st.sampled_from(["", "sum"]))
    if draw(st.booleans()):
        height = width = 1
        window, step, reduce = (1, 1), (1, 1), draw(st.sampled_from(["", "sum", "argmax"]))
    rows, columns = (height - window[0]) // step[0] + 1, (width - window[1]) // step[1] + 1
    if reduce:
        rows = columns = 1
    written = draw(st.sampled_from([1, 2, 8]))
    work = Work(
        Layout(channels, height, width, draw(st.sampled_from([1, 2, 4, 8, 16])), lanes),
        Layout(1 if reduce == "argmax" else channels, rows, columns, written, lanes),
        channels,
        (height, width),
        bias=draw(st.booleans()),
        pool=window,
        pool_stride=step,
        shuffle=draw(st.sampled_from([n for n in range(1, channels + 1) if channels % n == 0])),
        reduce=reduce,
    )
    return work, hardware


def equal(cost: Cost, counted: tuple[Counter[str], Counter[str]]) -> None:
    """Every cause and every event that the stepper counts, exactly."""
    cycles, events = counted
    assert dict(cost.cycles) == {name: cycles[name] for name, _ in cost.cycles}
    for name, count in cost.events:
        if name not in DERIVED:
            assert (name, count) == (name, events[name])


class TestClosedForm:
    @settings(max_examples=300, deadline=None)
    @given(layers())
    def test_product_layers_equal_the_stepped_schedule(self, case: tuple[Work, Hardware]) -> None:
        equal(schedule.product(*case), stepper.product(*case))

    @settings(max_examples=150, deadline=None)
    @given(passes())
    def test_vector_layers_equal_the_stepped_schedule(self, case: tuple[Work, Hardware]) -> None:
        equal(schedule.vector(*case), stepper.vector(*case))

    @settings(max_examples=100, deadline=None)
    @given(layers())
    def test_weight_words_are_what_one_pass_over_the_taps_reads(
        self, case: tuple[Work, Hardware]
    ) -> None:
        work, hardware = case
        blocks = len(stepper.pixel_blocks(work, hardware.accumulator.pixels))
        _, events = stepper.product(work, hardware)
        assert schedule.weight_words(work, hardware) * blocks == events["weight_read"]


class TestTransfers:
    LAYOUT = Layout(channels=3, height=32, width=32, lanes=4, word_lanes=16)

    def test_a_word_a_cycle_in_and_out(self) -> None:
        assert dict(schedule.load(self.LAYOUT).cycles)["input"] == 1024 + 1
        assert dict(schedule.store(self.LAYOUT).cycles)["output"] == 1024 + 1
        assert schedule.load(self.LAYOUT).cycles.total == 4 + 1025

    @pytest.mark.parametrize(("lanes", "moves"), [(4, 3072), (16, 3072), (32, 6144)])
    def test_a_reorder_moves_a_code_a_cycle(self, lanes: int, moves: int) -> None:
        source = Layout(3, 32, 32, lanes, 16)
        cost = schedule.reorder(source, source)
        assert cost.cycles.vector == moves + 2
        assert cost.events.activation_write == moves
