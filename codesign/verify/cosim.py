"""The Verilog against an engine and the model: every layer's map and every cycle counter."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from codesign.engine import create
from codesign.hw import Cycles
from codesign.ir import Graph, IntArray
from codesign.rtl.accelerator import Accelerator, MachineError, Step
from codesign.rtl.image import Image
from codesign.rtl.wave import record
from codesign.verify.compare import Batch
from codesign.verify.difference import Divergence, difference

#: Frames that are computed and compared at a time: bounds the maps in memory.
BATCH = 32


@dataclass(frozen=True, slots=True)
class Miscount:
    """A cycle counter that is not what the model predicts.

    Attributes:
        layer: the layer's name in the plan.
        kind: what it does, for people.
        input: which input it was run for.
        cause: the counter: a cause of cycles, or "wait".
        predicted, counted: the model's cycles and the machine's.
    """

    layer: str
    kind: str
    input: str
    cause: str
    predicted: int
    counted: int

    def __str__(self) -> str:
        return (
            f"layer {self.layer} ({self.kind}) of {self.input}: {self.counted:,} cycles of "
            f"{self.cause} counted, {self.predicted:,} predicted"
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """A layer that the machine did not end: an error of its own, or a hang.

    Attributes:
        layer: the layer's name in the plan.
        input: which input it was run for.
        error: the error's name, see `codesign.rtl.registers`, or "timeout".
        message: one line.
    """

    layer: str
    input: str
    error: str
    message: str

    def __str__(self) -> str:
        return f"{self.message}, input {self.input}"


@dataclass(frozen=True, slots=True)
class Counts:
    """One layer's cycles: predicted, and as the machine counted them."""

    layer: str
    kind: str
    predicted: Cycles
    counted: Cycles
    wait: int

    @property
    def difference(self) -> int:
        """Cycles counted and not predicted, `wait` included."""
        return self.counted.total + self.wait - self.predicted.total


@dataclass(frozen=True, slots=True)
class Cosimulation:
    """What was run and compared, and the first difference in the order of execution.

    Attributes:
        image: the network's program.
        inputs: frames that were compared whole, or up to the first difference.
        codes: codes that were compared.
        counts: the layers of the last frame compared, as far as it was run.
        cycles: cycles that the machine counted, in all frames.
        finding: the first difference; None where everything is equal.
        frame: the input that differs; empty where none does.
    """

    image: Image
    inputs: int
    codes: int
    counts: tuple[Counts, ...]
    cycles: int
    finding: Divergence | Miscount | Stop | None
    frame: Mapping[str, IntArray]


def cosimulate(
    graph: Graph,
    image: Image,
    batches: Iterable[Batch],
    *,
    engine: str = "numba",
    threads: int = 1,
    models: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Cosimulation:
    """Run frames on the Verilated machine; demand the engine's codes and the model's cycles.

    `image` is the graph's. `threads` machines run side by side; the result does not depend on
    them. `models` is a folder of Verilog in place of the package's. The first frame that differs
    ends it. Raises CodesignError where a tool is missing.
    """
    executor = create(engine, graph, threads=threads)
    wanted = tuple(dict.fromkeys(entry.map.value for entry in image.entries))
    whole = Cosimulation(image, 0, 0, (), 0, None, {})
    with ExitStack() as stack:
        machines: queue.SimpleQueue[Accelerator] = queue.SimpleQueue()
        for seed in range(1, threads + 1):
            machine = Accelerator(image, models=models, seed=seed)
            machines.put(stack.enter_context(closing(machine)))
        pool = ThreadPoolExecutor(threads)
        # after a difference or Ctrl-C the frames not begun are dropped, not run
        stack.callback(pool.shutdown, cancel_futures=True)
        for names, arrays in _cut(batches):
            expected = executor.run(arrays, wanted)

            frames = (_at(arrays, index) for index in range(len(names)))
            codes = (_at(expected, index) for index in range(len(names)))
            run = partial(_frame, graph, machines)
            for found in pool.map(run, names, frames, codes):
                whole = replace(
                    found,
                    inputs=whole.inputs + 1,
                    codes=whole.codes + found.codes,
                    cycles=whole.cycles + found.cycles,
                )
                if whole.finding is not None:
                    return whole
                if progress is not None:
                    progress(whole.inputs)
    return whole


def wave_of(result: Cosimulation, path: Path, models: Path | None = None) -> str:
    """Write the waveform (FST) around the finding of `result` to `path`; what it shows."""
    finding = result.finding
    assert finding is not None  # there is something to show
    element = finding.index if isinstance(finding, Divergence) else None
    return record(result.image, result.frame, finding.layer, path, element=element, models=models)


def _cut(batches: Iterable[Batch]) -> Iterable[Batch]:
    for names, arrays in batches:
        for start in range(0, len(names), BATCH):
            rows = slice(start, start + BATCH)
            yield names[rows], {name: array[rows] for name, array in arrays.items()}


def _frame(
    graph: Graph,
    machines: queue.SimpleQueue[Accelerator],
    name: str,
    frame: Mapping[str, IntArray],
    expected: Mapping[str, IntArray],
) -> Cosimulation:
    """One frame on one of the machines, up to its first difference."""
    codes, counts = 0, []
    finding: Divergence | Miscount | Stop | None = None
    machine = machines.get()
    try:
        for step in machine.steps(frame):
            entry = step.entry
            counts.append(Counts(entry.name, entry.kind, entry.cycles, step.cycles, step.wait))
            wanted = expected[entry.map.value]
            codes += wanted.size
            finding = _wrong_map(graph, step, name, wanted) or _wrong_count(step, name)
            if finding is not None:
                break
    except MachineError as error:
        finding = Stop(error.layer, name, error.error, str(error))
    finally:
        machines.put(machine)
    cycles = sum(count.counted.total + count.wait for count in counts)
    return Cosimulation(
        machine.image, 1, codes, tuple(counts), cycles, finding, frame if finding else {}
    )


def _at(arrays: Mapping[str, IntArray], index: int) -> dict[str, IntArray]:
    return {name: array[index] for name, array in arrays.items()}


def _wrong_map(graph: Graph, step: Step, name: str, expected: IntArray) -> Divergence | None:
    assert step.values is not None  # all maps are read
    value = step.entry.map.value
    found = difference(graph, value, (name,), expected[None], step.values[None])
    if found is None:
        return None
    return replace(found, layer=step.entry.name, op=step.entry.kind)


def _wrong_count(step: Step, name: str) -> Miscount | None:
    entry = step.entry
    counted = dict(step.cycles) | {"wait": step.wait}
    for cause, predicted in (*entry.cycles, ("wait", 0)):
        if counted[cause] != predicted:
            return Miscount(entry.name, entry.kind, name, cause, predicted, counted[cause])
    return None
