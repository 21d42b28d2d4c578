"""`run` and `simulate`, as the Python API and the command line use them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray

if TYPE_CHECKING:
    from codesign.engine import Engine
    from codesign.hw import Hardware
    from codesign.report import Report
    from codesign.report.model import Results
    from codesign.report.rows import Block
    from codesign.sim.cluster import Cluster
    from codesign.sim.decode import Decoder
    from codesign.sim.inputs import Batch, Inputs

#: What `simulate` takes as inputs: codes, or files by path.
Given = IntArray | Mapping[str, IntArray] | str | Path | Sequence[str | Path]


def run(
    graph: Graph,
    inputs: IntArray | Mapping[str, IntArray],
    engine: str = "numba",
    keep: Collection[str] = (),
    *,
    threads: int | None = None,
    hardware: Hardware | str | Path | None = None,
) -> dict[str, IntArray]:
    """The graph's outputs for `inputs`, then the values named in `keep`.

    `inputs` is an integer array with the batch axis first, or one for each graph input by name.
    Every engine (`reference`, `numba`, `onnxruntime`, and `rtl` on `hardware`) gives the same
    integers, in each value's narrowest array type. Raises CodesignError, one line, for a wrong
    input, name or engine.
    """
    from codesign.engine import create

    machine = None if hardware is None else _machine(hardware)
    executor = create(engine, graph, threads=threads, hardware=machine)
    return executor.run(_named(graph, inputs), keep)


def simulate(
    graph: Graph | str | Path,
    hardware: Hardware | str | Path,
    inputs: Given | None = None,
    *,
    labels: Sequence[int] | IntArray | str | Path | None = None,
    engine: str = "numba",
    threads: int | None = None,
    fit: str = "crop",
    top: int = 3,
) -> Report:
    """What `graph` costs on `hardware`, and what it computes for `inputs`.

    `graph` and `hardware` may be paths (or names of shipped ones); `inputs` codes as in `run`, or
    paths of images, folders, .npz and .npy files; `labels` the expected classes (indices, or a
    file), which give the accuracy. A network that does not fit has its report too:
    `report.fits` and `report.problems` tell. Raises CodesignError for unreadable input.
    """
    from codesign.hw import plan
    from codesign.sim.build import build

    program = graph if isinstance(graph, Graph) else _load(graph)
    machine = _machine(hardware)
    costs = plan(program, machine)
    if inputs is None:
        if labels is not None:
            raise CodesignError("labels are given without inputs; give the inputs too")
        return build(program, costs, None)
    given = _inputs(program, inputs, fit)
    results = compute(
        program,
        given,
        labels=labels,
        engine=engine,
        threads=threads,
        top=top,
        hardware=machine,
    )
    return build(program, costs, results)


def compute(
    graph: Graph,
    inputs: Inputs,
    *,
    labels: Sequence[int] | IntArray | str | Path | None = None,
    engine: str = "numba",
    threads: int | None = None,
    top: int = 3,
    progress: Callable[[int], None] | None = None,
    hardware: Hardware | None = None,
    cluster: Cluster | None = None,
) -> Results:
    """Run every input, a batch at a time, and decode it; `progress` hears how many are done.

    `hardware` is what the engine `rtl` runs on. On a `cluster` (`codesign.sim.connect`) batches go
    to its workers; the results are the same.
    """
    from codesign.engine import create
    from codesign.report.model import Accuracy, Results
    from codesign.report.rows import Rows
    from codesign.sim._ahead import ahead
    from codesign.sim.decode import Decoder

    decoder = Decoder.of(graph, top)
    expected = None if labels is None else _labels(labels, decoder, graph.name, len(inputs))
    computed: Iterator[tuple[Batch, dict[str, IntArray]]]
    executor: Engine | None = None
    if cluster is None:
        executor = create(engine, graph, threads=threads, hardware=hardware)
        run = executor.run
        computed = ((b, run(b.arrays, decoder.keep)) for b in ahead(inputs.batches()))
    else:
        computed = cluster.run(
            graph, inputs, decoder.keep, engine=engine, threads=threads, hardware=hardware
        )
    blocks: list[Block] = []
    done = 0
    for batch, values in computed:
        start, done = done, done + len(batch.names)
        here = None if expected is None else expected[start:done]
        blocks.append(decoder.decode(batch.names, batch.fits, here, values))
        if progress is not None:
            progress(done)
    accuracy = None
    if expected is not None:
        correct = sum(block.decisions.correct for block in blocks if block.decisions)
        accuracy = Accuracy(correct=correct, total=done)
    level = "" if executor is None else executor.level
    return Results(engine=engine, level=level, accuracy=accuracy, inputs=Rows(blocks))


def _machine(hardware: Hardware | str | Path) -> Hardware:
    from codesign.hw import Hardware

    return hardware if isinstance(hardware, Hardware) else Hardware.load(hardware)


def _load(path: str | Path) -> Graph:
    from codesign.sim.models import load_model

    return load_model(path)


def _named(graph: Graph, inputs: IntArray | Mapping[str, IntArray]) -> Mapping[str, IntArray]:
    if isinstance(inputs, Mapping):
        return inputs
    if len(graph.inputs) != 1:
        raise CodesignError(
            f"{graph.name} has inputs {', '.join(graph.inputs)}; give a mapping with one array each"
        )
    return {graph.inputs[0]: inputs}


def _inputs(graph: Graph, inputs: Given, fit: str) -> Inputs:
    from codesign.sim.inputs import from_arrays, from_paths

    if isinstance(inputs, (str, Path)):
        return from_paths(graph, [inputs], fit=fit)
    if isinstance(inputs, Mapping) or hasattr(inputs, "dtype"):
        arrays = _named(graph, cast("IntArray | Mapping[str, IntArray]", inputs))
        return from_arrays(graph, arrays)
    return from_paths(graph, inputs, fit=fit)


def _labels(
    labels: Sequence[int] | IntArray | str | Path, decoder: Decoder, model: str, count: int
) -> list[int]:
    """Checked class indices, one an input."""
    import numpy as np

    from codesign.sim.inputs import display
    from codesign.sim.labels import from_array, need_count, read_labels

    if decoder.decision is None:
        raise CodesignError(
            f"labels are given, but {model} hands out no class; its outputs are "
            f"{', '.join(decoder.others)}; leave the labels out"
        )
    if isinstance(labels, (str, Path)):
        place = display(Path(labels))
        read = read_labels(labels, decoder.classes, place)
    else:
        place = "labels"
        array = np.asarray(labels)
        array = array if array.size else array.astype(np.int64)  # an empty list has no integers
        read = from_array(array, len(decoder.classes), place)
    need_count(read, count, place)
    return read
