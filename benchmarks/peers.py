"""Everything that is timed on a network: us at each level, and the peers on the same topology."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import limit, naive
from codesign.engine import create
from codesign.engine._numba.features import LEVELS, VARIABLE, levels
from codesign.ir import Graph, IntArray


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run a network; `run` computes `images`. `exact`: it gives the program's bits."""

    name: str
    run: Callable[[], object]
    exact: bool
    images: int


def inputs(graph: Graph, images: int) -> dict[str, IntArray]:
    """Random codes for every input."""
    random = np.random.default_rng(1)
    return {
        name: random.integers(value.type.lo, value.type.hi + 1, (images, *value.shape)).astype(
            value.type.dtype
        )
        for name, value in ((name, graph.values[name]) for name in graph.inputs)
    }


def candidates(graph: Graph, images: int, threads: int) -> Iterator[Candidate]:
    """The candidates one after the other, each made when it is asked for."""
    given = inputs(graph, images)
    yield from _ours(graph, given, images, threads)
    yield from _torch(graph, given, images, threads)
    yield from _onnx(graph, given, images, threads)
    few = min(images, 16)  # it takes long, and no longer for each image
    yield _naive(graph, few, threads)
    products = limit.byte_products(graph, images)
    yield Candidate("_int_mm of the products", products, False, images)


def float_twin(
    graph: Graph,
    given: dict[str, IntArray],
    threads: int,
    dtype: Any = None,
    *,
    compiled: bool = False,
    fake_quant: bool = False,
) -> Callable[[], object]:
    """Runs the twin in PyTorch on `threads` threads, channels last; float32 without a `dtype`."""
    import torch

    from benchmarks.twin import Twin

    dtype = dtype or torch.float32
    torch.manual_seed(0)
    twin: Any = Twin(graph, fake_quant=fake_quant).eval().to(dtype)
    images = [torch.from_numpy(codes).to(dtype) for codes in given.values()]
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    if layout := layouts.get(images[0].dim()):
        twin = twin.to(memory_format=layout)
        images = [image.to(memory_format=layout) for image in images]
    if compiled:
        # a flat graph of tensor operations: the compiler sees all of it at once
        with torch.no_grad():
            twin = torch.export.export(twin, tuple(images), strict=False).module()
    module = torch.compile(twin, fullgraph=True) if compiled else twin

    def run() -> object:
        torch.set_num_threads(threads)
        with torch.no_grad():
            return module(*images)

    return run


def _ours(
    graph: Graph, given: dict[str, IntArray], images: int, threads: int
) -> Iterator[Candidate]:
    names, before = [level.name for level in LEVELS], os.environ.get(VARIABLE)
    for level in levels():
        os.environ[VARIABLE] = ",".join(names[: names.index(level.name)])
        engine = create("numba", graph, threads=threads)
        yield Candidate(f"codesign {level.name}", partial(engine.run, given), True, images)
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before


def _torch(
    graph: Graph, given: dict[str, IntArray], images: int, threads: int
) -> Iterator[Candidate]:
    import torch

    for label, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        for compiled in (False, True):
            run = float_twin(graph, given, threads, dtype, compiled=compiled)
            how = "compiled" if compiled else "eager"
            yield Candidate(f"PyTorch {label} {how}", run, False, images)
    run = float_twin(graph, given, threads, fake_quant=True)
    yield Candidate("PyTorch fake-quantized", run, False, images)


def _onnx(
    graph: Graph, given: dict[str, IntArray], images: int, threads: int
) -> Iterator[Candidate]:
    import onnxruntime as ort
    import torch

    from benchmarks.twin import Twin
    from codesign.convert import save

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        exact, floats = Path(folder, "exact.onnx"), Path(folder, "float.onnx")
        save(graph, exact)
        session = ort.InferenceSession(exact, options, providers=["CPUExecutionProvider"])
        yield Candidate("ONNX Runtime, exact file", lambda: session.run(None, given), True, images)
        floats_in = tuple(torch.from_numpy(codes).float() for codes in given.values())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Twin(graph).eval(), floats_in, str(floats), dynamo=False, opset_version=17,
                input_names=list(given),
            )  # fmt: skip
        twin = ort.InferenceSession(floats, options, providers=["CPUExecutionProvider"])
        feed = {name: image.numpy() for name, image in zip(given, floats_in, strict=True)}
        yield Candidate("ONNX Runtime float32", lambda: twin.run(None, feed), False, images)


def _naive(graph: Graph, images: int, threads: int) -> Candidate:
    import numba

    products = naive.products(graph, images)

    def run() -> None:
        numba.set_num_threads(threads)
        products()

    return Candidate("naive numba loop, products only", run, False, images)
