"""Golden vectors: what a program computed once, in one file, to be demanded from then on."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codesign.engine import create
from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.verify.compare import Batch, Comparison
from codesign.verify.difference import Divergence, difference, operation
from codesign.verify.replay import layer_graph

#: Version of the file's form.
FORMAT = 1
_DIGEST = 32


@dataclass(frozen=True)
class Golden:
    """The content of a golden file.

    Attributes:
        model: name of the program that was blessed.
        hash: its content hash.
        names: names of the inputs.
        inputs: codes of each graph input, the inputs first.
        outputs: codes of each graph output.
        digests: SHA-256 of every value, (inputs, 32) bytes, in the program's order.
        codes: codes of every value, where they were kept; else empty.
    """

    model: str
    hash: str
    names: tuple[str, ...]
    inputs: Mapping[str, IntArray]
    outputs: Mapping[str, IntArray]
    digests: Mapping[str, IntArray]
    codes: Mapping[str, IntArray]

    def to_bytes(self) -> bytes:
        """The golden file (.npz): equal vectors give equal bytes."""
        facts = {
            "format": FORMAT,
            "model": self.model,
            "hash": self.hash,
            "names": list(self.names),
            "values": list(self.digests),
        }
        text = json.dumps(facts, ensure_ascii=True).encode()
        arrays: dict[str, Any] = {"golden": np.frombuffer(text, np.uint8)}
        groups = {
            "input": self.inputs,
            "output": self.outputs,
            "digest": self.digests,
            "codes": self.codes,
        }
        for group, members in groups.items():
            arrays.update({f"{group}/{name}": array for name, array in members.items()})
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)
        return stream.getvalue()


def bless(
    graph: Graph,
    batches: Iterable[Batch],
    *,
    full: bool = False,
    engine: str = "numba",
    threads: int | None = None,
) -> Golden:
    """The golden vectors of `graph` for these inputs; with `full`, every layer's codes."""
    executor = create(engine, graph, threads=threads)
    names: list[str] = []
    inputs: dict[str, list[IntArray]] = {name: [] for name in graph.inputs}
    outputs: dict[str, list[IntArray]] = {name: [] for name in graph.outputs}
    digests: dict[str, list[IntArray]] = {name: [] for name in graph.results}
    codes: dict[str, list[IntArray]] = {name: [] for name in graph.results if full}
    for batch, arrays in batches:
        names.extend(batch)
        values = executor.run(arrays, graph.results)
        for group, source in ((inputs, arrays), (outputs, values), (codes, values)):
            for name in group:
                group[name].append(np.asarray(source[name], graph.values[name].type.dtype))
        for name in digests:
            digests[name].append(_digests(values[name]))
    if not names:
        raise CodesignError(f"{graph.name}: no inputs to bless; give at least one")
    return Golden(
        graph.name,
        graph.hash,
        tuple(names),
        _joined(inputs),
        _joined(outputs),
        _joined(digests),
        _joined(codes),
    )


def read_golden(path: str | Path) -> Golden:
    """The golden vectors in a file; CodesignError where it holds none, or of another format."""
    file = Path(path)
    if not file.is_file():
        raise CodesignError(f"{path}: no such file; make it with codesign bless")
    try:
        with file.open("rb") as stream:
            content = np.load(stream, allow_pickle=False)
            arrays = {name: content[name] for name in content.files}
        facts = json.loads(arrays.pop("golden").tobytes())
        if facts["format"] != FORMAT:
            raise CodesignError(
                f"{path}: has golden format {facts['format']}, this version reads {FORMAT}; "
                "bless the model again"
            )
        groups: dict[str, dict[str, IntArray]] = {}
        for key, array in arrays.items():
            group, _, name = key.partition("/")
            groups.setdefault(group, {})[name] = array
        digests = {name: groups["digest"][name] for name in facts["values"]}
        golden = Golden(
            facts["model"],
            facts["hash"],
            tuple(facts["names"]),
            groups["input"],
            groups["output"],
            digests,
            groups.get("codes", {}),
        )
    except CodesignError:
        raise
    except Exception as error:
        raise CodesignError(
            f"{path}: is not a whole file of golden vectors; make it with codesign bless"
        ) from error
    _need_counts(golden, str(path))
    return golden


def verify(
    graph: Graph,
    golden: Golden,
    *,
    layer: str | None = None,
    engine: str = "numba",
    threads: int | None = None,
    batch: int = 256,
) -> Comparison:
    """`graph`, run on the golden inputs, against every value that the file keeps.

    With `layer`, that node alone on the golden codes of what it reads (the file must be full).
    Raises CodesignError where the program's inputs or layers are not those of the file.
    """
    part, inputs, layers = graph, golden.inputs, tuple(golden.digests)
    if layer is not None:
        part, layers = layer_graph(graph, layer), (layer,)
        inputs = _fed(part, golden, layer)
    unknown = [name for name in layers if name not in part.results]
    missing = [name for name in part.results if name not in layers]
    if unknown or missing:
        names = [f"{name} is only in the golden vectors" for name in unknown]
        names += [f"{name} is only in the model" for name in missing]
        raise CodesignError(
            f"{graph.name}: its layers are not those that were blessed ({names[0]}); "
            "bless the new model, or verify the old one"
        )
    executor = create(engine, part, threads=threads)
    for start in range(0, len(golden.names), batch):
        rows = slice(start, start + batch)
        values = executor.run({n: array[rows] for n, array in inputs.items()}, part.results)
        for name in layers:
            found = _divergence(graph, golden, name, rows, values[name])
            if found is not None:
                return Comparison(min(rows.stop, len(golden.names)), layers, (), found)
    return Comparison(len(golden.names), layers, (), None)


def _divergence(
    graph: Graph, golden: Golden, layer: str, rows: slice, actual: IntArray
) -> Divergence | None:
    names = golden.names[rows]
    kept = golden.codes.get(layer, golden.outputs.get(layer))
    if kept is not None and kept[rows].shape == actual.shape:
        return difference(graph, layer, names, kept[rows], actual)
    wrong = (golden.digests[layer][rows] != _digests(actual)).any(axis=1)
    if not wrong.any():
        return None
    first = int(wrong.argmax())
    size = int(actual[0].size)
    return Divergence(layer, operation(graph, layer), names[first], None, None, None, None, size)


def _fed(part: Graph, golden: Golden, layer: str) -> dict[str, IntArray]:
    known = {**golden.codes, **golden.inputs}
    missing = [name for name in part.inputs if name not in known]
    if missing:
        raise CodesignError(
            f"layer {layer}: the golden vectors keep no codes of {missing[0]}, which it reads; "
            "bless with --full to replay one layer"
        )
    return {name: known[name] for name in part.inputs}


def _need_counts(golden: Golden, place: str) -> None:
    """Every array has one entry an input."""
    groups = (golden.inputs, golden.outputs, golden.digests, golden.codes)
    for name, array in (item for group in groups for item in group.items()):
        if array.ndim == 0 or len(array) != len(golden.names) or array.dtype.kind not in "iu":
            raise CodesignError(
                f"{place}: {name} has shape {array.shape} for {len(golden.names)} inputs; "
                "the file is damaged, bless again"
            )


def _digests(array: IntArray) -> IntArray:
    """SHA-256 of each input's codes as little-endian 64-bit integers: (inputs, 32) bytes."""
    wide = np.ascontiguousarray(array, dtype="<i8")
    raw = b"".join(hashlib.sha256(row.tobytes()).digest() for row in wide)
    return np.frombuffer(raw, np.uint8).reshape(len(wide), _DIGEST)


def _joined(parts: Mapping[str, list[IntArray]]) -> dict[str, IntArray]:
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}
