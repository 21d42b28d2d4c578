"""Everything that is timed on a network: us at each level, and the peers on the same topology."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import limit, naive
from codesign.engine import create
from codesign.engine._numba.features import LEVELS, VARIABLE, levels
from codesign.ir import Graph, IntArray


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run a network; `run` computes one batch. `exact`: it gives the program's bits."""

    name: str
    run: Callable[[], object]
    exact: bool


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
    yield from _ours(graph, given, threads)
    yield from _torch(graph, given, threads)
    yield from _onnx(graph, given, threads)
    yield _naive(graph, images, threads)
    yield Candidate("_int_mm of the products", limit.byte_products(graph, images), False)


def _ours(graph: Graph, given: dict[str, IntArray], threads: int) -> Iterator[Candidate]:
    names, before = [level.name for level in LEVELS], os.environ.get(VARIABLE)
    for level in levels():
        os.environ[VARIABLE] = ",".join(names[: names.index(level.name)])
        engine = create("numba", graph, threads=threads)
        yield Candidate(f"codesign {level.name}", lambda e=engine: e.run(given), True)  # type: ignore[misc]
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before


def _torch(graph: Graph, given: dict[str, IntArray], threads: int) -> Iterator[Candidate]:
    import torch

    from benchmarks.twin import Twin

    torch.set_num_threads(threads)
    for label, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        twin: Any = Twin(graph).eval().to(dtype)
        images = [torch.from_numpy(codes).to(dtype) for codes in given.values()]
        if all(image.dim() == 4 for image in images):
            twin = twin.to(memory_format=torch.channels_last)
            images = [image.to(memory_format=torch.channels_last) for image in images]
        for how, module in (("eager", twin), ("compiled", torch.compile(twin))):

            def run(module: Any = module, images: Any = images) -> object:
                with torch.inference_mode():
                    return module(*images)

            yield Candidate(f"PyTorch {label} {how}", run, False)


def _onnx(graph: Graph, given: dict[str, IntArray], threads: int) -> Iterator[Candidate]:
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
        yield Candidate("ONNX Runtime, exact file", lambda: session.run(None, given), True)
        images = tuple(torch.from_numpy(codes).float() for codes in given.values())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Twin(graph).eval(), images, str(floats), dynamo=False, opset_version=17,
                input_names=list(given),
            )  # fmt: skip
        twin = ort.InferenceSession(floats, options, providers=["CPUExecutionProvider"])
        feed = {name: image.numpy() for name, image in zip(given, images, strict=True)}
        yield Candidate("ONNX Runtime float32", lambda: twin.run(None, feed), False)


def _naive(graph: Graph, images: int, threads: int) -> Candidate:
    import numba

    numba.set_num_threads(threads)
    return Candidate("naive numba loop, products only", naive.products(graph, images), False)
