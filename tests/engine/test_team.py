"""Threads within one image, and buffers that last: parts, interruptions, forks, who shares what."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from codesign.engine import create
from codesign.engine._numba import (
    atomics,
    bitmaps,
    bits,
    fills,
    lines,
    packed,
    pooling,
    rows,
    team,
    totals,
)
from codesign.engine._numba.after import Rescale
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.flow import Flow
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.packed import Packed
from codesign.engine._numba.tasks import Task, address, entry, program
from codesign.engine._numba.team import Team
from codesign.engine._numba.windows import Window
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine.levels import HERE
from tests.engine.parts import call
from tests.strategies import random_codes

TWO_BITS = IntType(0, 3)


def network(codes: IntType = TWO_BITS) -> Graph:
    """Products in frames, a pool, a view of a map (reshape), products of few pixels, scores."""
    builder = GraphBuilder("network")
    y = builder.input("image", (3, 8, 6), codes)

    def product(op: str, name: str, y: str, shape: tuple[int, ...], **attributes: Any) -> str:
        w = builder.constant(f"{name}.w", random_codes(shape, code_set(3), len(shape)), code_set(3))
        y = builder.node(name, op, [y, w], **attributes)
        if codes.step == 2:
            return builder.node(f"{name}.act", "sign", [y])
        return builder.node(f"{name}.act", "hwmsb", [y], bits=2, shift=2)

    for number, (inputs, outputs) in enumerate(((3, 20), (20, 20), (20, 20), (20, 20))):
        y = product(
            "conv", f"conv{number}", y, (outputs, inputs, 3, 3),
            stride=(1, 1), padding=(1, 1), pad_code=codes.lo,
        )  # fmt: skip
    y = builder.node("pool", "max_pool", [y], kernel=(2, 2), stride=(2, 2))
    y = product("conv", "last", y, (20, 20, 3, 3), stride=(1, 1), padding=(0, 0), pad_code=0)
    y = builder.node("flat", "reshape", [y], shape=(40,))
    y = product("linear", "hidden", y, (40, 40))
    y = product("linear", "hidden2", y, (40, 40))
    w = builder.constant("w", random_codes((5, 40), code_set(5), 3), code_set(5))
    builder.output(builder.node("scores", "linear", [y, w]))
    return builder.build()


def batch(graph: Graph, images: int) -> dict[str, IntArray]:
    value = graph.values["image"]
    return {"image": random_codes((images, *value.shape), value.type, images)}


def engine_of(graph: Graph, threads: int) -> NumbaEngine:
    engine = create("numba", graph, threads=threads)
    assert isinstance(engine, NumbaEngine)
    return engine


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest work is cut into parts."""
    monkeypatch.setattr(packed, "PART_PRODUCTS", 1)
    for module in (pooling, bitmaps, bits, fills, lines, rows, totals):
        monkeypatch.setattr(module, "PART_BYTES", 1)


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("codes", [TWO_BITS, IntType(-1, 1, 2)], ids=str)
@pytest.mark.parametrize("threads", [1, 2, 3, 4, 5])
def test_results_depend_on_no_thread_chunk_or_batch(codes: IntType, threads: int) -> None:
    graph = network(codes)
    engine = engine_of(graph, threads)
    for images in (*range(1, 10), 3, 0, 1):
        inputs = batch(graph, images)
        wanted = create("reference", graph, threads=1).run(inputs, graph.results)
        for engine.chunk_images in (1, 2, 4, 100):
            for keep in ((), ("conv1", "flat"), tuple(graph.results)):
                for name, found in engine.run(inputs, keep).items():
                    assert np.array_equal(found, wanted[name]), (images, engine.chunk_images, name)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50, 1000])
def test_parts_in_any_order_are_the_whole_and_write_apart(groups: int, parts: int) -> None:
    level = HERE[0] if not HERE[0].tiles else next(each for each in HERE if not each.tiles)
    window = Window((5, 9), 8, (3, 3), (1, 1), (1, 1), groups)
    weight = random_codes((70 * groups, 8 // groups, 3, 3), code_set(3), 1)
    frame = Frame.of(window, 0, 0)
    source = frame.copy(random_codes((2, 5, 9, 8), TWO_BITS, 2))
    product = Packed(level, window, weight, 0, Rescale(np.zeros(len(weight), np.int64), 1, 0, 3))
    places, size = np.arange(45, dtype=np.int64) * len(weight), 45 * len(weight)
    whole = np.zeros(2 * size, np.uint8)
    product.run(source, 2, whole, places, size)
    assert whole.any()
    once, total = np.full(2 * size, 255, np.uint8), np.zeros(2 * size, np.int64)
    task = product.task(source, once, places, size)
    assert task is not None
    task.record[0] = 2
    for part in reversed(range(parts)):
        once[:] = 255
        assert call(task, part, parts) == 1
        written = once != 255
        assert np.array_equal(once[written], whole[written])
        total += written
    assert (total == 1).all()


@entry
def meet(record: int, part: int, parts: int) -> int:
    """Waits until both parts have begun; part 1 then waits for the word at record + 16."""
    atomics.add(record + 8, 1)
    while atomics.load(record + 8) < 2:
        atomics.pause()
    while part == 1 and atomics.load(record + 16) == 0:
        atomics.pause()
    atomics.add(record + 24, 1)
    return 1


@entry
def fail(record: int, part: int, parts: int) -> int:
    """Fails in its last part."""
    return 0 if part == parts - 1 else 1


def shared_task(function: int) -> Task:
    return Task(function, np.zeros(4, np.int64), 2.0, ())


def test_a_leader_waits_for_the_part_that_a_helper_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(team, "ROUNDS", 1)
    crew = Team(1)
    for _ in range(20):
        task = shared_task(meet)
        timer = threading.Timer(0.01, task.record.__setitem__, (2, 1))
        timer.start()
        crew.run(program([task], 1, 2))
        assert task.record[3] == 2
        timer.join()
    crew.close()


def test_an_interruption_leaves_no_part_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "ROUNDS", 1)
    crew, task, naps = Team(1), shared_task(meet), []

    def sleep(_: float) -> None:
        naps.append(int(task.record[3]))
        if len(naps) < 3:
            raise KeyboardInterrupt
        task.record[2] = 1  # only now may the helper's part end

    monkeypatch.setattr(team.time, "sleep", sleep)
    # whichever of the two takes part 1 waits for the word: if it is the leader, it is set for it
    timer = threading.Timer(0.5, task.record.__setitem__, (2, 1))
    timer.start()
    interrupted = False
    try:
        crew.run(program([task], 1, 2))
    except KeyboardInterrupt:
        interrupted = True
    assert task.record[3] == 2
    assert interrupted == bool(naps)
    timer.cancel()
    monkeypatch.undo()
    again = shared_task(meet)
    again.record[2] = 1
    crew.run(program([again], 1, 2))
    assert again.record[3] == 2
    crew.close()


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_what_fails_in_compiled_code_is_told(helpers: int) -> None:
    crew = Team(helpers)
    for _ in range(2):
        with pytest.raises(MemoryError) as error:
            crew.run(program([shared_task(fail)], 1, 2))
        assert str(error.value) == "a compiled kernel found no memory; give it smaller chunks"
    crew.close()


def test_a_chunk_that_fails_ends_the_run_and_the_engine_goes_on() -> None:
    graph = network()
    engine, inputs = engine_of(graph, 2), batch(graph, 12)
    engine.chunk_images = 2
    wanted = engine.run(inputs)["scores"]
    kernel = engine.plan(tuple(graph.outputs))[0].run
    broken: Any = engine._flow

    def refuse(names: tuple[str, ...], images: int) -> Flow:
        if threading.current_thread() is not threading.main_thread():
            raise OSError("no more")
        flow: Flow = broken(names, images)
        return flow

    engine._flow = refuse  # type: ignore[method-assign]
    with pytest.raises(OSError, match=r"^no more$"):
        for _ in range(50):  # the helper may come too late for a chunk
            engine.run(inputs)
    engine._flow = broken  # type: ignore[method-assign]
    assert kernel is engine.plan(tuple(graph.outputs))[0].run
    assert np.array_equal(engine.run(inputs)["scores"], wanted)


@pytest.mark.usefixtures("cut")
def test_one_engine_serves_several_threads() -> None:
    graph = network()
    engine = engine_of(graph, 3)
    batches = [batch(graph, images) for images in (1, 2, 5, 7, 1, 3, 9, 4)]
    wanted = [create("reference", graph, threads=1).run(inputs)["scores"] for inputs in batches]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            found = pool.map(lambda inputs: engine.run(inputs)["scores"], batches)
            assert all(map(np.array_equal, found, wanted))


def in_child(work: Callable[[], bool]) -> bool:
    """Whether `work` is true in a forked process."""
    child = os.fork()
    if child == 0:
        done = False
        try:
            done = work()
        finally:
            os._exit(0 if done else 1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.usefixtures("cut")
def test_a_forked_process_has_helpers_of_its_own() -> None:
    before, graph = helpers(), network()
    engine, inputs = engine_of(graph, 3), batch(graph, 7)
    wanted = engine.run(inputs)["scores"]

    def again() -> bool:
        equal = all(np.array_equal(engine.run(inputs)["scores"], wanted) for _ in range(3))
        return equal and len(helpers() - before) == 2

    assert in_child(again)
    assert in_child(lambda: engine._team.close() is None)
    assert again()


def helpers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("codesign-")}


def test_an_engine_that_is_forgotten_leaves_no_thread() -> None:
    gc.collect()
    before, graph = helpers(), network()
    alone = engine_of(graph, 1)
    alone.run(batch(graph, 3))
    assert helpers() == before
    engine = engine_of(graph, 4)
    assert helpers() == before
    engine.run(batch(graph, 5))
    assert len(helpers() - before) == 3
    del engine
    assert helpers() == before


@pytest.mark.usefixtures("cut")
def test_a_system_without_more_threads_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network()
    started = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "codesign-1":
            raise RuntimeError("can't start new thread")
        started(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    engine = engine_of(graph, 4)
    for images in (1, 9):
        wanted = create("reference", graph, threads=1).run(batch(graph, images))["scores"]
        assert np.array_equal(engine.run(batch(graph, images))["scores"], wanted)


def test_maps_that_lie_alike_share_buffers_when_their_lives_do_not_overlap() -> None:
    graph = network()
    engine = engine_of(graph, 1)
    units = engine.plan(tuple(graph.outputs))
    flow = Flow(units, 2, 1, {"image": graph.values["image"]})
    made = {name: address(buffer) for name, (_, buffer) in flow._made.items()}
    frames = [made[f"conv{number}.act"] for number in range(3)]
    assert frames[0] != frames[1]
    assert frames[0] == frames[2]
    # a view of it lives on in "flat": what comes later lies elsewhere
    later = list(made)[list(made).index("last.act") + 1 :]
    assert len(later) == 3 and made["last.act"] not in {made[name] for name in later}


def test_a_map_without_a_border_takes_any_memory_that_is_large_enough() -> None:
    """The third map lies where the first was, the fourth where the second; none holds the last."""
    builder = GraphBuilder("shrinking")
    x = builder.input("image", (3, 5, 5), IntType(0, 255))
    channels = 3
    for number, outputs in enumerate((32, 24, 9, 7, 40)):
        w = builder.constant(
            f"w{number}", random_codes((outputs, channels, 1, 1), code_set(3), number), code_set(3)
        )
        x = builder.node(f"conv{number}", "conv", [x, w], stride=(1, 1), padding=(0, 0))
        x = builder.node(f"act{number}", "hwmsb", [x], bits=2, shift=1)
        channels = outputs
    builder.output(x)
    graph = builder.build()
    engine = engine_of(graph, 1)
    flow = Flow(engine.plan(tuple(graph.outputs)), 2, 1, {"image": graph.values["image"]})
    places = [address(flow._made[f"act{number}"][1]) for number in range(5)]
    assert places[2:4] == places[:2]
    assert len(set(places)) == 3
    image = random_codes((2, 3, 5, 5), IntType(0, 255), 9)
    wanted = create("reference", graph, threads=1).run({"image": image})["act4"]
    assert np.array_equal(engine.run({"image": image})["act4"], wanted)


def test_results_are_not_the_buffers() -> None:
    graph = network()
    engine = engine_of(graph, 1)
    first = engine.run(batch(graph, 2), ("flat", "pool", "conv0.act"))
    kept = {name: array.copy() for name, array in first.items()}
    engine.run({"image": 3 - batch(graph, 2)["image"]}, ("flat", "pool", "conv0.act"))
    for name, array in first.items():
        assert np.array_equal(array, kept[name])
