"""Golden vectors: stored, read back, demanded; a changed model or file is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codesign.errors import CodesignError
from codesign.files import write_atomic
from codesign.sim.inputs import from_paths, from_random
from codesign.verify import Golden, bless, read_golden, verify
from codesign.verify.compare import Batch
from tests.small import small

GRAPH = small()
ENGINES = ("reference", "numba", "onnxruntime")


def batches(size: int = 256) -> Iterator[Batch]:
    for batch in from_random(GRAPH, 0, 5).batches(size):
        yield batch.names, batch.arrays


@pytest.mark.parametrize("full", [False, True])
def test_round_trip(full: bool, tmp_path: Path) -> None:
    golden = bless(GRAPH, batches(), full=full)
    assert (golden.model, golden.hash, len(golden.names)) == ("small", GRAPH.hash, 5)
    assert tuple(golden.digests) == GRAPH.results
    assert tuple(golden.outputs) == GRAPH.outputs
    assert tuple(golden.codes) == (GRAPH.results if full else ())
    write_atomic(tmp_path / "g.npz", golden.to_bytes())
    again = read_golden(tmp_path / "g.npz")
    assert again.to_bytes() == golden.to_bytes()
    for engine in ENGINES:
        result = verify(GRAPH, again, engine=engine, batch=2)
        assert (result.divergence, result.inputs, result.layers) == (None, 5, GRAPH.results)


def test_same_bytes_whatever_the_engine_threads_and_batches() -> None:
    wanted = bless(GRAPH, batches(), full=True).to_bytes()
    for engine in ENGINES:
        assert bless(GRAPH, batches(2), full=True, engine=engine).to_bytes() == wanted
    assert bless(GRAPH, batches(), full=True, threads=1).to_bytes() == wanted


def test_full_vectors_name_the_element() -> None:
    golden, other = bless(GRAPH, batches(), full=True), small(bias=5)
    found = verify(other, golden).divergence
    assert found is not None
    assert (found.layer, found.op) == ("norm2", "bit_shift_norm")
    assert found.index is not None
    assert found.expected == golden.codes["norm2"][(golden.names.index(found.input), *found.index)]
    assert verify(other, golden, layer="norm2").divergence == found
    assert verify(other, golden, layer="fc").divergence is None


def test_digests_name_the_layer_and_outputs_the_element() -> None:
    golden = bless(GRAPH, batches())
    found = verify(small(bias=5), golden, batch=2).divergence
    assert found is not None
    assert (found.layer, found.index, found.wrong) == ("norm2", None, None)
    assert str(found) == (
        f"layer norm2 (bit_shift_norm) of {found.input}: the digest of its 128 codes differs"
    )


def test_one_flipped_code_is_found() -> None:
    golden = bless(GRAPH, batches(), full=True)
    golden.codes["act2"][3, 7, 1, 2] ^= 1
    found = verify(GRAPH, golden, batch=2).divergence
    assert found is not None
    assert (found.layer, found.input, found.index) == ("act2", "random seed 0[3]", (7, 1, 2))
    assert found.wrong == 1


def test_a_golden_file_is_a_file_of_inputs(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "g.npz", bless(GRAPH, batches()).to_bytes())
    (batch,) = from_paths(GRAPH, [path]).batches()
    (wanted,) = from_random(GRAPH, 0, 5).batches()
    assert np.array_equal(batch.arrays["image"], wanted.arrays["image"])


def message(graph: object, golden: Golden, **options: object) -> str:
    with pytest.raises(CodesignError) as error:
        verify(graph, golden, **options)  # type: ignore[arg-type]
    return str(error.value)


def test_refused() -> None:
    golden = bless(GRAPH, batches())
    assert message(small(decide=False), golden) == (
        "small: its layers are not those that were blessed (class is only in the golden vectors); "
        "bless the new model, or verify the old one"
    )
    assert message(GRAPH, bless(small(decide=False), batches())) == (
        "small: its layers are not those that were blessed (class is only in the model); "
        "bless the new model, or verify the old one"
    )
    assert message(GRAPH, golden, layer="norm2") == (
        "layer norm2: the golden vectors keep no codes of conv2, which it reads; "
        "bless with --full to replay one layer"
    )
    with pytest.raises(CodesignError, match=r"^small: no inputs to bless; give at least one$"):
        bless(GRAPH, [])


def refused(path: Path) -> str:
    with pytest.raises(CodesignError) as error:
        read_golden(path)
    return str(error.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("cut", [0, 10, 3000])
def test_refused_files(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "g.npz"
    path.write_bytes(bless(GRAPH, batches()).to_bytes()[:cut])
    assert refused(path) == (
        "g.npz: is not a whole file of golden vectors; make it with codesign bless"
    )


def test_refused_other_files(tmp_path: Path) -> None:
    path = tmp_path / "g.npz"
    assert refused(path) == "g.npz: no such file; make it with codesign bless"
    np.savez(path, image=np.zeros(3))
    assert refused(path).startswith("g.npz: is not a whole file of golden vectors;")
    facts = b'{"format": 2, "model": "small", "hash": "", "names": [], "values": []}'
    np.savez(path, golden=np.frombuffer(facts, np.uint8))
    assert refused(path) == (
        "g.npz: has golden format 2, this version reads 1; bless the model again"
    )
    golden = bless(GRAPH, batches())
    golden.inputs["image"] = golden.inputs["image"][:3]  # type: ignore[index]
    path.write_bytes(golden.to_bytes())
    assert refused(path) == (
        "g.npz: image has shape (3, 3, 8, 8) for 5 inputs; the file is damaged, bless again"
    )
