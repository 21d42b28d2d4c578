"""The file itself: its bytes, its size, what it says besides the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import codesign
from codesign.convert import _bits, from_onnx, load, save, to_onnx
from codesign.errors import CodesignError
from codesign.ir import GraphBuilder, IntType
from tests.convert.onnx_graphs import (
    BIPOLAR,
    TERNARY,
    inputs_of,
    nqe_sized,
    onnx_runtime,
    sample,
)

ROOT = Path(__file__).parents[2]


def python(code: str, **environment: str) -> str:
    """What a fresh Python process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    graph, path = sample(), tmp_path / "sample.onnx"
    save(graph, path)
    back = load(path)
    assert back == graph
    assert back.hash == graph.hash
    assert str(back) == str(graph)
    assert list(back.metadata.items()) == list(graph.metadata.items())
    assert [path.name for path in tmp_path.iterdir()] == ["sample.onnx"]
    assert load(str(path)) == graph


def test_same_graph_same_bytes_in_any_process() -> None:
    code = (
        "import hashlib, tests.convert.onnx_graphs as g, codesign.convert as c\n"
        "print(hashlib.sha256(c.to_onnx(g.sample())).hexdigest())"
    )
    found = {python(code, PYTHONHASHSEED=seed) for seed in ("0", "1")}
    assert len(found) == 1
    assert to_onnx(sample()) == to_onnx(sample())


def test_file_size_is_of_the_order_of_the_stored_bits() -> None:
    graph = nqe_sized()
    bits = sum(value.size * value.type.storage_bits for value in graph.constants.values())
    assert bits > 1_000_000
    size = len(to_onnx(graph))
    assert bits / 8 < size < 1.5 * bits / 8 + 32_000


def test_batch_is_symbolic_and_every_other_size_fixed() -> None:
    model = onnx.load_from_string(to_onnx(sample()))
    infos = [*model.graph.input, *model.graph.output, *model.graph.value_info]
    shapes = {
        info.name: [dim.dim_param or dim.dim_value for dim in info.type.tensor_type.shape.dim]
        for info in infos
    }
    assert shapes["image"] == ["N", 4, 8, 8]
    assert shapes["features/0/norm"] == ["N", 6, 8, 8]
    assert shapes["class"] == ["N"]
    kinds = {info.name: info.type.tensor_type.elem_type for info in infos}
    assert kinds["image"] == onnx.TensorProto.INT8
    assert kinds["features/0/norm"] == onnx.TensorProto.INT8
    assert kinds["class"] == onnx.TensorProto.UINT8


def test_metadata_says_what_onnx_cannot() -> None:
    graph = sample()
    model = onnx.load_from_string(to_onnx(graph))
    facts = {prop.key: prop.value for prop in model.metadata_props}
    assert facts["codesign.format"] == "1"
    assert json.loads(facts["codesign.inputs"]) == {"image": {"lo": -1, "hi": 1, "step": 2}}
    assert sorted(json.loads(facts["codesign.outputs"])) == ["class", "scores"]
    assert json.loads(facts["codesign.metadata"]) == dict(graph.metadata)
    assert facts["codesign.hash"] == graph.hash
    assert (model.producer_name, model.producer_version) == ("codesign", codesign.__version__)


def test_functions_are_those_used_each_once_with_a_line_of_explanation() -> None:
    model = onnx.load_from_string(to_onnx(sample()))
    names = [function.name for function in model.functions]
    used = {node.op_type for node in model.graph.node}
    assert set(names) == used
    assert names == [*sorted(used - {"unpack"}), "unpack"]
    for function in model.functions:
        assert function.domain == "codesign"
        assert function.doc_string
        assert "\n" not in function.doc_string
        assert all(node.domain == "" for node in function.node)


def test_extra_outputs_follow_the_graphs_own() -> None:
    graph = sample()
    data = to_onnx(graph, extra_outputs=("conv1", "class"))
    found = onnx_runtime(data, inputs_of(graph))
    assert list(found) == ["scores", "class", "conv1"]
    assert from_onnx(data, "x").outputs == ("scores", "class", "conv1")
    plain = onnx_runtime(to_onnx(graph), inputs_of(graph))
    assert all(np.array_equal(found[name], plain[name]) for name in plain)


@pytest.mark.parametrize("name", ["nowhere", "image", "conv1.weight"])
def test_extra_output_must_be_a_result(name: str) -> None:
    with pytest.raises(CodesignError) as caught:
        to_onnx(sample(), extra_outputs=[name])
    assert str(caught.value) == (
        f"sample/net: extra output {name!r} is not the result of a node; name a node"
    )


def test_attribute_beyond_64_bits_is_refused() -> None:
    b = GraphBuilder("wide")
    weight = b.constant("w", np.ones((1, 1, 1, 1), np.int8), TERNARY)
    x = b.input("x", (1, 1, 1), BIPOLAR)
    b.output(b.node("c", "conv", [x, weight], stride=(2**63, 1)))
    with pytest.raises(CodesignError) as caught:
        to_onnx(b.build())
    assert str(caught.value) == (
        "c: attribute stride is 9223372036854775808; a file holds signed 64 b; use a smaller number"
    )


def test_what_other_tools_may_add_is_free() -> None:
    graph = sample()
    model = onnx.load_from_string(to_onnx(graph))
    model.producer_version, model.doc_string, model.model_version = "9.9", "mine", 7
    model.graph.node[0].doc_string = "a note"
    model.metadata_props.add(key="author", value="me")
    assert from_onnx(model.SerializeToString(), "x") == graph


def test_unicode_and_odd_names_survive() -> None:
    b = GraphBuilder("größe", {"note": 'π "quoted"'})
    b.output(b.node("a/b.c-d:0", "sign", [b.input("входъ", (2,), TERNARY)]))
    graph = b.build()
    assert from_onnx(to_onnx(graph), "x") == graph


def test_text_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(CodesignError, match=r"^metadata note is '\\ud800'; give text, "):
        GraphBuilder("x", {"note": "\ud800"})


@given(
    data=st.data(),
    lo=st.integers(-(2**63), 2**63 - 1),
    count=st.integers(1, 2**64),
    step=st.integers(1, 2**40),
)
def test_packing_comes_back(data: st.DataObject, lo: int, count: int, step: int) -> None:
    count = min(count, (2**63 - 1 - lo) // step + 1)
    code_type = IntType(lo, lo + step * (count - 1), step)
    shape = (data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5)))
    size = shape[0] * shape[1]
    index = data.draw(st.lists(st.integers(0, count - 1), min_size=size, max_size=size))
    codes = np.array([lo + code_type.step * i for i in index], np.int64).reshape(shape)
    packed = _bits.pack(codes, code_type)
    assert len(packed) == _bits.packed_size(size, code_type.storage_bits)
    assert np.array_equal(_bits.unpack(packed, shape, code_type), codes)
    stream = sum(i << (code_type.storage_bits * place) for place, i in enumerate(index))
    assert int.from_bytes(packed, "little") == stream


def test_imports_stay_light(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    save(sample(), path)
    code = "import sys, codesign.convert\nprint('onnx' in sys.modules, 'torch' in sys.modules)"
    assert python(code) == "False False"
    heavy = "('torch', 'onnxruntime', 'numba', 'sklearn')"
    code = (
        f"import sys, codesign.convert\ncodesign.convert.load({str(path)!r})\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert python(code) == "[]"


def test_unknown_name_of_the_room() -> None:
    import codesign.convert

    with pytest.raises(AttributeError, match=r"^module 'codesign.convert' has no attribute 'x'$"):
        codesign.convert.x  # noqa: B018
