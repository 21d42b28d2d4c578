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

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run a network; `make` gives a function that computes `images`.

    `exact`: it gives the program's bits. `ours`: it must run; a peer may be unable to.
    """

    name: str
    make: Callable[[], Run]
    images: int
    exact: bool = False
    ours: bool = False


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
    """All candidates; nothing is made yet."""
    given = inputs(graph, images)
    names = [level.name for level in LEVELS]
    for level in levels():
        off = ",".join(names[: names.index(level.name)])
        engine = partial(_engine, graph, given, threads, off)
        yield Candidate(f"codesign {level.name}", engine, images, exact=True, ours=True)
    yield from _torch(graph, given, images, threads)
    exact = partial(_exact_file, graph, given, threads)
    yield Candidate("ONNX Runtime, exact file", exact, images, exact=True)
    yield Candidate("ONNX Runtime float32", partial(_float_file, graph, given, threads), images)
    few = min(images, 16)  # it takes long, and no longer for each image
    yield Candidate("naive numba loop, products only", partial(_naive, graph, few, threads), few)
    products = partial(limit.byte_products, graph, images)
    yield Candidate("_int_mm of the products", products, images)


def float_twin(
    graph: Graph,
    given: dict[str, IntArray],
    threads: int,
    dtype: Any = None,
    *,
    compiled: bool = False,
    fake_quant: bool = False,
) -> Run:
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


def _engine(graph: Graph, given: dict[str, IntArray], threads: int, off: str) -> Run:
    """Our engine with the levels `off` switched off, its kernels chosen."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = off
    try:
        engine = create("numba", graph, threads=threads)
        engine.run(given)
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
    return partial(engine.run, given)


def _torch(
    graph: Graph, given: dict[str, IntArray], images: int, threads: int
) -> Iterator[Candidate]:
    import torch

    for label, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        for compiled in (False, True):
            twin = partial(float_twin, graph, given, threads, dtype, compiled=compiled)
            how = "compiled" if compiled else "eager"
            yield Candidate(f"PyTorch {label} {how}", twin, images)
    twin = partial(float_twin, graph, given, threads, fake_quant=True)
    yield Candidate("PyTorch fake-quantized", twin, images)


def _exact_file(graph: Graph, given: dict[str, IntArray], threads: int) -> Run:
    from codesign.convert import to_onnx

    session = _session(to_onnx(graph), threads)
    return lambda: session.run(None, given)


def _float_file(graph: Graph, given: dict[str, IntArray], threads: int) -> Run:
    import torch

    from benchmarks.twin import Twin

    images = tuple(torch.from_numpy(codes).float() for codes in given.values())
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder, "float.onnx")
        torch.onnx.export(
            Twin(graph).eval(), images, file, dynamo=False, opset_version=17,
            input_names=list(given),
        )  # fmt: skip
        session = _session(file.read_bytes(), threads)
    feed = {name: image.numpy() for name, image in zip(given, images, strict=True)}
    return lambda: session.run(None, feed)


def _session(file: bytes, threads: int) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _naive(graph: Graph, images: int, threads: int) -> Run:
    import numba

    products = naive.products(graph, images)

    def run() -> None:
        numba.set_num_threads(threads)
        products()

    return run
