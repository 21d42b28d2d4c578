"""Memory that maps share: borders written anew, who shares it, tables of where pixels lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.engine import create
from codesign.engine._numba import borders
from codesign.engine._numba.bitmaps import BitFrame
from codesign.engine._numba.borders import bordering
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.flow import Flow, _Program
from codesign.engine._numba.frames import Bordered, Frame
from codesign.engine._numba.windows import SLACK, Window, in_rows, pixel_offsets
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine.fence import Fenced
from tests.engine.parts import call
from tests.strategies import random_codes

CODES, BIPOLAR = IntType(-2, 5), IntType(-1, 1, 2)


def frames(sizes: tuple[int, ...], padding: tuple[int, ...]) -> list[Bordered]:
    """Of bytes, and of bits: whole words, words with bits of no channel; either code around."""
    return [
        Frame(sizes, padding, 3, CODES.lo, CODES.hi),
        *(
            BitFrame(sizes, padding, channels, BIPOLAR, pad)
            for channels in (32, 40, 64)
            for pad in (-1, 1)
        ),
    ]


@pytest.mark.parametrize(
    ("sizes", "padding"),
    [((5,), (2,)), ((3, 4), (1, 1)), ((3, 4), (0, 2)), ((3, 4), (1, 0)), ((2, 3, 2), (1, 1, 2)),
     ((3, 4), (0, 0)), ((1,), (0,))],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("images", [1, 3])
def test_a_border_in_memory_of_other_maps(
    sizes: tuple[int, ...], padding: tuple[int, ...], images: int
) -> None:
    for place in frames(sizes, padding):
        codes = BIPOLAR if isinstance(place, BitFrame) else CODES
        x = random_codes((images, *sizes, place.channels), codes, 1)
        wanted = place.copy(x.astype(np.int8))[:-SLACK]
        if not len(place.around[0]):
            assert not any(padding)
            continue
        for parts in (1, 2, 5):
            fence = Fenced(images * place.image + SLACK)
            fence.array[:] = 77
            task = bordering(place, fence.array)
            task.record[0] = images
            for part in reversed(range(parts)):
                before = fence.array.copy()
                assert call(task, part, parts) == 1
                assert (before[fence.array != before] == 77).all()  # by no part before
            place.fill(fence.array, x.astype(np.int8))
            assert np.array_equal(fence.array[:-SLACK], wanted)
            assert fence.untouched()


def chain(sizes: tuple[int, ...], codes: IntType) -> Graph:
    """Convolutions with borders, each map with other channels than the last."""
    builder = GraphBuilder("chain")
    y, depth = builder.input("image", (3, 7, 6), IntType(0, 255)), 3
    for number, channels in enumerate(sizes):
        kinds = code_set(2) if codes.step == 2 else code_set(3)
        w = random_codes((channels, depth, 3, 3), kinds, number)
        w = builder.constant(f"w{number}", w, kinds)
        pad = 0 if number == 0 else codes.hi
        given_: dict[str, Any] = {"stride": (1, 1), "padding": (1, 1), "pad_code": pad}
        y = builder.node(f"conv{number}", "conv", [y, w], **given_)
        if codes.step == 2:
            y = builder.node(f"act{number}", "sign", [y])
        else:
            y = builder.node(f"act{number}", "hwmsb", [y], bits=2, shift=3)
        depth = channels
    builder.output(y)
    return builder.build()


def flow_of(graph: Graph, images: int = 2) -> Flow:
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    return Flow(engine.plan(tuple(graph.outputs)), images, 1, {"image": graph.values["image"]})


def borders_of(flow: Flow) -> int:
    """Borders that are written in each run."""
    function = borders._border_entry()
    programs = [step for step in flow._steps if isinstance(step, _Program)]
    return sum(task.function == function for program in programs for task in program.tasks)


@pytest.mark.parametrize("codes", [IntType(0, 3), BIPOLAR], ids=str)
@pytest.mark.parametrize("threads", [1, 2])
def test_frames_of_any_size_take_the_same_memory(codes: IntType, threads: int) -> None:
    graph = chain((40, 33, 24, 64, 8, 40), codes)
    flow = flow_of(graph)
    # one map is read while another is written; a larger one finds no place
    assert len(flow._memory) <= 4
    assert borders_of(flow) >= 3
    engine = create("numba", graph, threads=threads)
    for images in (1, 5, 2):
        image = random_codes((images, 3, 7, 6), IntType(0, 255), images)
        wanted = create("reference", graph, threads=1).run({"image": image}, graph.results)
        for keep in ((), ("act1",), tuple(graph.results)):
            for name, found in engine.run({"image": image}, keep).items():
                assert np.array_equal(found, wanted[name]), (name, images)


def test_a_border_that_nothing_writes_over_is_written_once() -> None:
    """Maps that lie alike share memory and border; the last is too large for theirs."""
    flow = flow_of(chain((40, 40, 40, 90), IntType(0, 3)))
    assert borders_of(flow) == 0
    frames_ = [m for m in flow._memory if any(isinstance(p, Frame) for p in m.places)]
    assert all(len(memory.places) == 1 for memory in frames_)
    assert len(frames_) == 3  # the image, and two in turn


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_rows_are_the_tables(data: Any) -> None:
    """Windows of any stride in any frame, and results of any; also tables that no row suits."""
    rank = data.draw(st.integers(1, 3))
    sizes = data.draw(st.tuples(*[st.integers(1, 6)] * rank))
    stride = data.draw(st.tuples(*[st.integers(1, 3)] * rank))
    window = Window(sizes, data.draw(st.integers(1, 4)), (1,) * rank, stride, (1,) * rank)
    starts = window.starts
    ones, first = (1,) * rank, (data.draw(st.integers(0, 2)),) * rank
    within = tuple(size + 2 * first[0] for size in window.results)
    places = pixel_offsets(within, window.results, ones, first, 5)
    tables = np.stack((starts, places, 0 * places))
    if data.draw(st.booleans()):
        tables[data.draw(st.integers(0, 2)), data.draw(st.integers(0, len(starts) - 1))] += 1
    width, begins, apart = in_rows(list(tables))
    rebuilt = begins[:, :, None] + apart[:, None, None] * np.arange(width)
    assert np.array_equal(rebuilt.reshape(3, -1), tables)
    assert all(array.flags.c_contiguous for array in (begins, apart))


def test_rows_of_a_map_are_its_rows() -> None:
    starts = Window((6, 8), 4, (3, 3), (1, 1), (1, 1)).starts
    frame: IntArray = Frame((6, 8), (2, 2), 5, 0, 0).places
    assert in_rows((starts, frame))[0] == 8
    assert in_rows((np.arange(48), frame))[0] == 8
    assert in_rows((np.arange(48),))[0] == 48
    assert in_rows((np.zeros(1, np.int64),) * 2)[0] == 1
