"""Building graphs, checking graphs from elsewhere, their text and hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from codesign.errors import CodesignError, UnsupportedError
from codesign.ir import Graph, GraphBuilder, IntType, Node, Operations, Value, check, mac, ops

WEIGHT = np.array([[1, 0, -1, 1], [-1, 1, 1, 0]])


def tiny(**metadata: Any) -> Graph:
    """Two scores of four pixels, and the class."""
    builder = GraphBuilder("tiny", metadata)
    image = builder.input("image", (1, 2, 2), IntType(0, 255))
    weight = builder.constant("fc.weight", WEIGHT, IntType(-1, 1))
    bias = builder.constant("fc.bias", np.array([-3, 40]), IntType(-64, 63))
    flat = builder.node("flat", "reshape", [image], shape=(4,))
    product = builder.node("fc", "linear", [flat, weight])
    builder.output(builder.node("scores", "bit_shift_norm", [product, bias], shift=2))
    builder.output(builder.node("class", "argmax", ["scores"]))
    return builder.build()


GOLDEN = """\
codesign-ir 1
graph tiny
  meta   classes = ["dark", "light"]
  input  image : 1x2x2 [0..255]
  const  fc.weight : 2x4 [-1..1] 2b deb038d12552b9f1
  const  fc.bias : 2 [-64..63] 7b 6fe6806cf9ce5985
  flat : 4 [0..255] = reshape(image) shape=4
  fc : 2 [-255..510] = linear(flat, fc.weight)
  scores : 2 [-65..137] = bit_shift_norm(fc, fc.bias) shift=2
  class : scalar [0..1] = argmax(scores)
  output scores
  output class
"""


class TestText:
    def test_golden(self) -> None:
        assert str(tiny(classes=("dark", "light"))) == GOLDEN

    def test_golden_hash(self) -> None:
        expected = "sha256:500c43acc47e3d23ddfdc79c1c45273fd3cca605825a865d4b1d75279642725a"
        assert tiny(classes=("dark", "light")).hash == expected

    @pytest.mark.parametrize("width", [9, 90_001])
    def test_the_hash_is_of_the_text_and_then_all_codes(self, width: int) -> None:
        """However many: they are hashed in parts, and by several threads."""
        codes = np.random.default_rng(0).integers(-1, 2, (12, width))
        builder = GraphBuilder("wide")
        image = builder.input("image", (width,), IntType(0, 3))
        weight = builder.constant("fc.weight", codes, IntType(-1, 1))
        builder.output(builder.node("fc", "linear", [image, weight]))
        graph = builder.build()
        octets = codes.astype("<i8").tobytes()
        assert f" 2b {hashlib.sha256(octets).hexdigest()[:16]}\n" in str(graph)
        whole = hashlib.sha256(str(graph).encode() + octets).hexdigest()
        assert graph.hash == f"sha256:{whole}"

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "other"},
            {"metadata": {"classes": ["a"]}},
            {"outputs": ("class", "scores")},
            {"outputs": ("class",)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_every_part_enters_the_hash(self, change: dict[str, Any]) -> None:
        assert replace(tiny(), **change).hash != tiny().hash
        assert str(replace(tiny(), **change)) != str(tiny())

    def test_every_code_enters_the_hash(self) -> None:
        graph = tiny()
        for index in np.ndindex(WEIGHT.shape):
            codes = WEIGHT.copy()
            codes[index] = 1 if codes[index] == -1 else -1
            other = _tampered(graph, "fc.weight", data=codes)
            assert other.hash != graph.hash
            assert str(other) != str(graph)
            assert other != graph

    def test_metadata_order_does_not(self) -> None:
        assert tiny(a=1, b=2).hash == tiny(b=2, a=1).hash

    def test_equal_programs_are_equal(self) -> None:
        assert tiny() == tiny()
        assert hash(tiny()) == hash(tiny())
        assert tiny().hash == tiny().hash


def _builder() -> GraphBuilder:
    builder = GraphBuilder("g")
    builder.input("x", (2, 2, 2), IntType(0, 3))
    return builder


Step = Callable[[GraphBuilder], object]
BUILDER_REFUSALS: list[tuple[Step, str]] = [
    (lambda b: GraphBuilder(""), "'' is not a name; use letters, digits, '.', '_', '-', '/'"),
    (lambda b: GraphBuilder("a\n  input y"),
     "'a\\n  input y' is not a name; use letters, digits, '.', '_', '-', '/'"),
    (lambda b: GraphBuilder("g", {"a b": 1}),
     "'a b' is not a name; use letters, digits, '.', '_', '-', '/'"),
    (lambda b: GraphBuilder("g", {"a": float("nan")}),
     "metadata a is nan; give text, finite numbers, lists or mappings"),
    (lambda b: GraphBuilder("g", {"a": {1, 2}}),
     "metadata a is {1, 2}; give text, finite numbers, lists or mappings"),
    (lambda b: b.input("a b", (1,), IntType(0, 1)),
     "'a b' is not a name; use letters, digits, '.', '_', '-', '/'"),
    (lambda b: b.input("x", (1,), IntType(0, 1)), "value 'x' is defined twice; names must differ"),
    (lambda b: b.input("y", (2, 0), IntType(0, 1)),
     "input 'y' has shape (2, 0); every size must be 1 or more"),
    (lambda b: b.input("y", (2,), IntType(0, 1 << 31)),
     "input 'y' has codes [0..2147483648], 32 b; at most 32 signed bits are allowed; "
     "narrow them before the program"),
    (lambda b: b.constant("w", np.array([0, 3]), IntType(-1, 1)),
     "w: constant has codes in [0..3], its type is [-1..1]; give the type that holds them"),
    (lambda b: b.constant("w", np.array([-1, 0]), IntType(-1, 1, 2)),
     "w: constant has codes in [-1..0], its type is [-1..1/2]; give the type that holds them"),
    (lambda b: b.constant("w", np.array([0.5]), IntType(-1, 1)),
     "w: constant has float64 elements; give integer codes"),
    (lambda b: b.constant("w", np.zeros((2, 0), np.int64), IntType(-1, 1)),
     "w: constant has shape (2, 0); every size must be 1 or more"),
    (lambda b: b.node("y", "sign", ["z"]),
     "value 'z' is read before it is defined; define it first"),
    (lambda b: b.node("x", "sign", ["x"]), "value 'x' is defined twice; names must differ"),
    (lambda b: b.node("y", "sign", []), "y: sign takes 1 inputs (x), 0 are given; give each one"),
    (lambda b: b.output("y"), "value 'y' is read before it is defined; define it first"),
    (lambda b: b.output("x"), "output 'x' is not the result of a node; name a node"),
    (lambda b: b.output(b.output(b.node("y", "sign", ["x"]))),
     "output 'y' is given twice; give it once"),
    (lambda b: b.build(), "graph 'g' has no output; add one"),
    (lambda b: GraphBuilder("h").build(), "graph 'h' has no input; add one"),
]  # fmt: skip


class TestBuilder:
    @pytest.mark.parametrize(("step", "message"), BUILDER_REFUSALS)
    def test_refuses(self, step: Step, message: str) -> None:
        with pytest.raises(CodesignError) as caught:
            step(_builder())
        assert str(caught.value) == message
        assert caught.value.exit_code == 2

    def test_an_unknown_operation_is_not_supported(self) -> None:
        with pytest.raises(UnsupportedError, match=r"^operation 'relu' is not in the vocabulary; "):
            _builder().node("y", "relu", ["x"])

    def test_a_refused_step_leaves_no_trace(self) -> None:
        builder = _builder()
        for name, sizes in (("y", (0,)), ("x", (1,))):
            with pytest.raises(CodesignError):
                builder.input(name, sizes, IntType(0, 1))
        with pytest.raises(CodesignError):
            builder.node("y", "hwmsb", ["x"], bits=9)
        builder.output(builder.node("y", "sign", ["x"]))
        graph = builder.build()
        check(graph)
        assert graph.inputs == ("x",)
        assert graph.results == ("y",)

    def test_constants_are_owned_and_read_only(self) -> None:
        codes = WEIGHT.copy()
        builder = _builder()
        builder.constant("w", codes, IntType(-1, 1))
        codes[:] = 0
        held = builder.value("w").data
        assert held is not None
        assert np.array_equal(held, WEIGHT)
        assert held.dtype == np.int8
        with pytest.raises(ValueError, match="read-only"):
            held[0, 0] = 0

    def test_metadata_is_what_a_file_gives_back(self) -> None:
        graph = tiny(classes=("a", "b"))
        assert dict(graph.metadata) == {"classes": ["a", "b"]}


def _tampered(graph: Graph, name: str, **changes: Any) -> Graph:
    """`graph` with the value `name` changed."""
    value = graph.values[name]
    fields = {"shape": value.shape, "type": value.type, "data": value.data, **changes}
    return replace(graph, values={**graph.values, name: Value(**fields)})


def _renode(graph: Graph, index: int, **changes: Any) -> Graph:
    """`graph` with the node at `index` changed."""
    nodes = list(graph.nodes)
    nodes[index] = replace(nodes[index], **changes)
    return replace(graph, nodes=tuple(nodes))


TAMPERED: list[tuple[Callable[[Graph], Graph], str]] = [
    (lambda g: replace(g, inputs=()), "tiny: has no input; add one"),
    (lambda g: replace(g, outputs=()), "tiny: has no output; add one"),
    (lambda g: replace(g, name="a b"),
     "'a b' is not a name; use letters, digits, '.', '_', '-', '/'"),
    (lambda g: replace(g, metadata={"a": float("inf")}),
     "metadata a is inf; give text, finite numbers, lists or mappings"),
    (lambda g: replace(g, inputs=("image", "image")),
     "tiny: input 'image' is given twice; give it once"),
    (lambda g: replace(g, outputs=("class", "class")),
     "tiny: output 'class' is given twice; give it once"),
    (lambda g: replace(g, outputs=("image",)),
     "tiny: output 'image' is not the result of a node; name a node"),
    (lambda g: replace(g, outputs=("fc.bias",)),
     "tiny: output 'fc.bias' is not the result of a node; name a node"),
    (lambda g: replace(g, outputs=("none",)),
     "tiny: output 'none' is not the result of a node; name a node"),
    (lambda g: replace(g, inputs=("image", "fc.bias")),
     "tiny: input 'fc.bias' is not a map; declare it"),
    (lambda g: replace(g, inputs=("image", "more")),
     "tiny: input 'more' is not a map; declare it"),
    (lambda g: replace(g, values={**g.values, "more": Value((1,), IntType(0, 1))}),
     "tiny: value 'more' has no source; remove it"),
    (lambda g: _tampered(g, "image", shape=(1, 0, 2)),
     "tiny: input 'image' has shape (1, 0, 2); every size must be 1 or more"),
    (lambda g: _tampered(g, "image", type=IntType(0, 1 << 40)),
     "tiny: input 'image' has codes [0..1099511627776], 41 b; at most 32 signed bits are "
     "allowed; narrow them before the program"),
    (lambda g: _tampered(g, "fc.weight", data=WEIGHT * 2),
     "tiny: fc.weight: constant has codes in [-2..2], its type is [-1..1]; give the type that "
     "holds them"),
    (lambda g: _tampered(g, "fc.weight", data=WEIGHT * 0.5),
     "tiny: fc.weight: constant has float64 elements; give integer codes"),
    (lambda g: _tampered(g, "fc.weight", shape=(4, 2)),
     "tiny: constant 'fc.weight' is recorded as 4x2 [-1..1] but holds 2x4 [-1..1]; derive the "
     "shape from the codes"),
    (lambda g: _tampered(g, "fc", type=IntType(-254, 510)),
     "tiny: 'fc' is recorded as 2 [-254..510] but can be 2 [-255..510]; derive the type from the "
     "operation"),
    (lambda g: _tampered(g, "fc", type=IntType(-256, 510)),
     "tiny: 'fc' is recorded as 2 [-256..510] but can be 2 [-255..510]; derive the type from the "
     "operation"),
    (lambda g: _tampered(g, "fc", shape=(3,)),
     "tiny: 'fc' is recorded as 3 [-255..510] but can be 2 [-255..510]; derive the type from the "
     "operation"),
    (lambda g: _tampered(g, "class", data=np.array(0)),
     "tiny: value 'class' is defined twice; rename one"),
    (lambda g: replace(g, nodes=tuple(reversed(g.nodes))),
     "tiny: 'class' reads 'scores', which is not defined before it; order the nodes"),
    (lambda g: _renode(g, 0, inputs=("flat",)),
     "tiny: 'flat' reads 'flat', which is not defined before it; order the nodes"),
    (lambda g: _renode(g, 1, name="flat"), "tiny: value 'flat' is defined twice; rename one"),
    (lambda g: _renode(g, 1, inputs=("flat",)),
     "tiny: fc: linear takes 2 inputs (x, weight), 1 are given; give each one"),
    (lambda g: _renode(g, 1, inputs=("fc.weight", "flat")),
     "tiny: fc: linear: input x is constant; it must be a map"),
    (lambda g: _renode(g, 2, attrs={"shift": 32}),
     "tiny: scores: bit_shift_norm: attribute shift is 32; give 0 to 31"),
    (lambda g: _renode(g, 2, attrs={}),
     "tiny: 'scores' has attributes {}; write every one: {'shift': 0}"),
    (lambda g: _renode(g, 0, attrs={"shape": [4]}),
     "tiny: 'flat' has attributes {'shape': [4]}; write every one: {'shape': (4,)}"),
    (lambda g: replace(g, nodes=(*g.nodes[:-1], Node("a b", "argmax", ("scores",)))),
     "tiny: a b: 'a b' is not a name; use letters, digits, '.', '_', '-', '/'"),
]  # fmt: skip


class TestCheck:
    def test_accepts_what_the_builder_makes(self) -> None:
        check(tiny())

    @pytest.mark.parametrize(("change", "message"), TAMPERED)
    def test_refuses_a_tampered_graph(self, change: Callable[[Graph], Graph], message: str) -> None:
        with pytest.raises(CodesignError) as caught:
            check(change(tiny()))
        assert str(caught.value) == message
        assert caught.value.exit_code == 2

    def test_an_operation_outside_the_table_is_not_supported(self) -> None:
        with pytest.raises(UnsupportedError, match=r"^operation 'relu' is not in the vocabulary; "):
            check(_renode(tiny(), 0, op="relu"))


class TestGraph:
    def test_lookups(self) -> None:
        graph = tiny()
        assert graph.results == ("flat", "fc", "scores", "class")
        assert list(graph.constants) == ["fc.weight", "fc.bias"]
        assert graph.node("fc").op == "linear"
        assert [node.name for node in graph.consumers("scores")] == ["class"]
        assert graph.arguments(graph.node("fc"))[1] == graph.values["fc.weight"]

    def test_an_unknown_node_is_refused(self) -> None:
        with pytest.raises(CodesignError) as caught:
            tiny().node("conv9")
        assert str(caught.value) == (
            "tiny: no node is called 'conv9'; 'codesign inspect' lists the nodes"
        )

    def test_values_are_read_only(self) -> None:
        with pytest.raises(TypeError):
            tiny().values["flat"] = tiny().values["fc"]  # type: ignore[index]

    def test_a_value_differs_in_shape_type_kind_and_codes(self) -> None:
        value = Value((2,), IntType(0, 3))
        codes = np.array([0, 3])
        assert value == Value((2,), IntType(0, 3))
        assert value != Value((1, 2), IntType(0, 3))
        assert value != Value((2,), IntType(0, 2))
        assert value != Value((2,), IntType(0, 3), codes)
        assert Value((2,), IntType(0, 3), codes) != Value((2,), IntType(0, 3), codes[::-1])
        assert value != "2 [0..3]"


class TestOperations:
    def test_counts_add_up_by_kind_and_width(self) -> None:
        total = mac(2, 8, 10) + ops("add", 12, 3) + mac(2, 8, 5) + mac(3, 8, 1)
        assert {str(key): count for key, count in total} == {
            "add 12b": 3,
            "mac 2bx8b": 15,
            "mac 3bx8b": 1,
        }
        assert total.total("mac") == 16
        assert total.total("logic") == 0

    def test_nothing_is_nothing(self) -> None:
        assert ops("add", 3, 0) == Operations()
        assert mac(2, 8, 4) + Operations() == mac(2, 8, 4)
