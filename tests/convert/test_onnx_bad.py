"""Bad model files: each is refused with one line that says place, found, expected and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import codesign
from codesign.convert import from_onnx, load, to_onnx
from codesign.errors import UNSUPPORTED, USAGE, CodesignError
from codesign.ir import table
from tests.convert.onnx_graphs import sample

VERSION = codesign.__version__
GOOD = to_onnx(sample())
KNOWN = ", ".join(sorted(table()))
REMEDY = (
    "; codesign runs integer programs of its own operations; "
    "build the network from codesign.nn layers, train it and export it"
)
CHANGED = (
    f" is not as codesign {VERSION} writes it (file written by codesign {VERSION}): "
    "changed, or of another version; export the model again"
)
AGAIN = "; export the model again"


def refusal(data: bytes) -> tuple[str, int]:
    """The message and the exit code for these bytes."""
    with pytest.raises(CodesignError) as caught:
        from_onnx(data, "m.onnx")
    message = str(caught.value)
    assert "\n" not in message
    return message, caught.value.exit_code


class TestNoFile:
    def test_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "no.onnx"
        with pytest.raises(CodesignError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: no such file; give a model that codesign exported"
        assert caught.value.exit_code == USAGE

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(CodesignError) as caught:
            load(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}: is a folder; give a model file that codesign exported"
        )

    def test_file_as_folder(self, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_bytes(GOOD)
        path = tmp_path / "m.onnx" / "inner"
        with pytest.raises(CodesignError) as caught:
            load(path)
        assert str(caught.value) == (
            f"{path}: cannot be read (not a directory); give a file you may read"
        )

    def test_name_of_the_file_leads(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.onnx"
        path.write_bytes(b"")
        with pytest.raises(CodesignError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: is empty; give a model that codesign exported"
        assert caught.value.exit_code == USAGE


NOT_ONNX = "m.onnx: is not an ONNX file, or is cut short; give a whole file that codesign exported"


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is text\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        bytes(64),
        b"PK\x03\x04" + bytes(range(256)),
        GOOD[: len(GOOD) // 2],
        GOOD[:10],
        GOOD[1:],
    ],
    ids=["text", "png", "zeros", "zip", "half", "head", "no first byte"],
)
def test_not_a_whole_onnx_file(data: bytes) -> None:
    assert refusal(data) == (NOT_ONNX, USAGE)


def foreign(*nodes: onnx.NodeProto, kind: int = TensorProto.FLOAT, **options: object) -> bytes:
    """A model that another tool wrote."""
    infos = [helper.make_tensor_value_info(name, kind, [1, 1, 4, 4]) for name in ("x", "y")]
    weight = helper.make_tensor("w", kind, [1, 1, 1, 1], [1])
    graph = helper.make_graph(list(nodes), "g", infos[:1], infos[1:], [weight])
    return bytes(helper.make_model(graph, **options).SerializeToString())


class TestFromElsewhere:
    def test_float_convolution(self) -> None:
        data = foreign(helper.make_node("Conv", ["x", "w"], ["y"], name="Conv_0"))
        message = "m.onnx: node 'Conv_0' is a float convolution (Conv)" + REMEDY
        assert refusal(data) == (message, UNSUPPORTED)

    def test_float_operator_without_a_name(self) -> None:
        data = foreign(helper.make_node("Relu", ["x"], ["y"]))
        assert refusal(data) == ("m.onnx: node 'y' is a float Relu" + REMEDY, UNSUPPORTED)

    def test_integer_operator(self) -> None:
        node = helper.make_node("ConvInteger", ["x", "w"], ["y"], name="c")
        message = "m.onnx: node 'c' is the operator ConvInteger of domain ai.onnx" + REMEDY
        assert refusal(foreign(node, kind=TensorProto.UINT8)) == (message, UNSUPPORTED)

    def test_foreign_domain(self) -> None:
        node = helper.make_node("Quant", ["x", "w"], ["y"], name="q", domain="qonnx.custom_op")
        message = "m.onnx: node 'q' is the operator Quant of domain qonnx.custom_op" + REMEDY
        assert refusal(foreign(node)) == (message, UNSUPPORTED)

    def test_nothing_in_it(self) -> None:
        message = "m.onnx: has no codesign metadata; give a model that codesign exported"
        assert refusal(foreign()) == (message, USAGE)


Change = Callable[[onnx.ModelProto], object]


def node(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.name == name)


def attribute(model: onnx.ModelProto, owner: str, name: str) -> onnx.AttributeProto:
    return next(item for item in node(model, owner).attribute if item.name == name)


def fact(model: onnx.ModelProto, key: str, value: str | None) -> None:
    """Set or remove one of our metadata entries."""
    for prop in model.metadata_props:
        if prop.key == f"codesign.{key}":
            if value is None:
                model.metadata_props.remove(prop)
            else:
                prop.value = value
            return
    raise AssertionError(key)


def dim(model: onnx.ModelProto, axis: int) -> onnx.TensorShapeProto.Dimension:
    return model.graph.input[0].type.tensor_type.shape.dim[axis]


def float_conv(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Conv", ["image", "w"], ["z"], name="extra"))


def swap(model: onnx.ModelProto) -> None:
    """Put the last node before the one it reads."""
    last = onnx.NodeProto.FromString(model.graph.node[-1].SerializeToString())
    del model.graph.node[-1]
    kept = [*model.graph.node[:-1], last, model.graph.node[-1]]
    whole = [onnx.NodeProto.FromString(item.SerializeToString()) for item in kept]
    model.graph.ClearField("node")
    model.graph.node.extend(whole)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def code(model: onnx.ModelProto) -> None:
    """Change one weight, keeping it in its code set: 2 becomes -2."""
    tensor = next(item for item in model.graph.initializer if item.name == "fc.weight packed")
    tensor.raw_data = bytes([tensor.raw_data[0] ^ 4]) + tensor.raw_data[1:]


def free_code(model: onnx.ModelProto) -> None:
    """A ternary code 3 is not in [-1..1]."""
    tensor = model.graph.initializer[0]
    tensor.raw_data = b"\xff" + tensor.raw_data[1:]


def body(model: onnx.ModelProto) -> None:
    """`argmax` that looks for the smallest score, to a runtime."""
    inner = next(item for item in model.functions if item.name == "argmax")
    next(item for item in inner.node if item.op_type == "ArgMax").op_type = "ArgMin"


def output_type(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64


def retype(model: onnx.ModelProto) -> None:
    item = attribute(model, "features/0/norm", "shift")
    item.CopyFrom(helper.make_attribute("shift", 1.5))


def sequence_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = TensorProto.INT8


HASH = sample().hash[:19]
WRONG: dict[str, tuple[Change, str, int]] = {
    "float convolution among ours": (
        float_conv,
        "node 'extra' is a float convolution (Conv)" + REMEDY,
        UNSUPPORTED,
    ),
    "unknown operation of our domain": (
        lambda m: setattr(node(m, "sum"), "op_type", "mean_pool"),
        f"node 'sum': operation 'mean_pool' is not in the vocabulary; known are {KNOWN}",
        UNSUPPORTED,
    ),
    "newer format": (
        lambda m: fact(m, "format", "2"),
        f"is of file format 2, codesign {VERSION} reads format 1; "
        "update codesign or export the model again",
        USAGE,
    ),
    "other opset": (
        lambda m: setattr(m.opset_import[0], "version", 21),
        "imports opset 21 of domain ai.onnx, expected 18" + AGAIN,
        USAGE,
    ),
    "opset of ours": (
        lambda m: setattr(m.opset_import[1], "version", 9),
        "imports opset 9 of domain codesign, expected 1" + AGAIN,
        USAGE,
    ),
    "foreign opset": (
        lambda m: m.opset_import.add(domain="com.acme", version=3),
        "imports opset 3 of domain com.acme, expected none" + AGAIN,
        USAGE,
    ),
    "no opset": (
        lambda m: m.ClearField("opset_import"),
        "imports opset none of domain ai.onnx, expected 18" + AGAIN,
        USAGE,
    ),
    "other ONNX version": (
        lambda m: setattr(m, "ir_version", 10),
        "is of ONNX IR version 10, expected 8" + AGAIN,
        USAGE,
    ),
    "no metadata": (
        lambda m: m.ClearField("metadata_props"),
        "has no codesign metadata; give a model that codesign exported",
        USAGE,
    ),
    "no input types": (
        lambda m: fact(m, "inputs", None),
        "metadata codesign.inputs is missing" + AGAIN,
        USAGE,
    ),
    "metadata of no JSON": (
        lambda m: fact(m, "metadata", "{classes"),
        "metadata codesign.metadata is not a JSON object" + AGAIN,
        USAGE,
    ),
    "metadata too deep": (
        lambda m: fact(m, "metadata", '{"a":' * 100_000),
        "its metadata is nested too deep" + AGAIN,
        USAGE,
    ),
    "input types of another input": (
        lambda m: fact(m, "inputs", '{"img":{"lo":0,"hi":1,"step":1}}'),
        "metadata codesign.inputs gives no lo, hi and step of input 'image'" + AGAIN,
        USAGE,
    ),
    "input types not integers": (
        lambda m: fact(m, "inputs", '{"image":{"lo":-1,"hi":1.0,"step":2}}'),
        "metadata codesign.inputs gives no lo, hi and step of input 'image'" + AGAIN,
        USAGE,
    ),
    "input type changed": (
        lambda m: fact(m, "inputs", '{"image":{"lo":0,"hi":1,"step":1}}'),
        "conv1.acc: pad code -1 is not a code of x [0..1]; choose one of its codes",
        USAGE,
    ),
    "operation of another version": (
        lambda m: fact(m, "operations", '{"conv":2}'),
        'has operations of the versions {"conv":2}, codesign ' + VERSION + ' has {"argmax":1,'
        '"bit_shift_norm":1,"channel_shuffle":1,"conv":1,"hwmsb":1,"linear":1,"max_pool":1,'
        '"sum_pool":1}' + AGAIN,
        USAGE,
    ),
    "classes changed": (
        lambda m: fact(m, "metadata", '{"classes":["dog","cat"]}'),
        "HASH",
        USAGE,
    ),
    "dynamic height": (
        lambda m: setattr(dim(m, 2), "dim_param", "height"),
        "input 'image': axis 2 has the dynamic size 'height'; "
        "only the batch may be dynamic; export with a fixed size",
        USAGE,
    ),
    "unknown height": (
        lambda m: dim(m, 2).Clear(),
        "input 'image': axis 2 has the dynamic size '?'; "
        "only the batch may be dynamic; export with a fixed size",
        USAGE,
    ),
    "fixed batch": (
        lambda m: setattr(dim(m, 0), "dim_value", 1),
        "input 'image': the batch axis has the fixed size 1, expected 'N'" + AGAIN,
        USAGE,
    ),
    "other name of the batch": (
        lambda m: setattr(dim(m, 0), "dim_param", "batch"),
        "the input 'image'" + CHANGED,
        USAGE,
    ),
    "negative size": (
        lambda m: setattr(dim(m, 2), "dim_value", -8),
        "input 'image' has shape (4, -8, 8); every size must be 1 or more",
        USAGE,
    ),
    "input that is no tensor": (
        sequence_input,
        "input 'image': the batch axis has no size, expected 'N'" + AGAIN,
        USAGE,
    ),
    "weights too short": (
        lambda m: setattr(m.graph.initializer[0], "raw_data", b"abc"),
        "initializer 'conv1.weight packed' has 3 B, expected 27 B for 108 codes of 2 b" + AGAIN,
        USAGE,
    ),
    "no weights": (
        lambda m: m.graph.initializer.pop(0),
        "constant 'conv1.weight' reads 'conv1.weight packed', which is no initializer" + AGAIN,
        USAGE,
    ),
    "weights in another file": (
        external,
        "initializer 'conv1.weight packed' is kept in another file; save the model as one file",
        USAGE,
    ),
    "weights of another type": (
        lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.INT8),
        "the initializer 'conv1.weight packed'" + CHANGED,
        USAGE,
    ),
    "code outside the type": (
        free_code,
        "conv1.weight: constant has codes in [-1..2], its type is [-1..1]; "
        "give the type that holds them",
        USAGE,
    ),
    "one weight changed": (code, "HASH", USAGE),
    "constant without a step": (
        lambda m: setattr(attribute(m, "conv1.weight", "step"), "name", "stop"),
        "constant 'conv1.weight' needs the integers lo, hi, step and a positive shape" + AGAIN,
        USAGE,
    ),
    "constant of an impossible type": (
        lambda m: setattr(attribute(m, "conv1.weight", "hi"), "i", -2),
        "constant 'conv1.weight': type [-1..-2] is empty; give lo <= hi",
        USAGE,
    ),
    "attribute of another type": (
        retype,
        "node 'features/0/norm': attribute shift is FLOAT, expected INT or INTS" + AGAIN,
        USAGE,
    ),
    "attribute not a list": (
        lambda m: attribute(m, "pool", "kernel").CopyFrom(helper.make_attribute("kernel", 2)),
        "pool: max_pool: attribute kernel is 2; give integers",
        USAGE,
    ),
    "attribute out of range": (
        lambda m: setattr(attribute(m, "features/0/norm", "shift"), "i", 32),
        "features/0/norm: bit_shift_norm: attribute shift is 32; give 0 to 31",
        USAGE,
    ),
    "attribute missing": (
        lambda m: node(m, "mix").attribute.pop(),
        "mix: channel_shuffle: attribute groups is missing; give it",
        USAGE,
    ),
    "shift changed": (
        lambda m: setattr(attribute(m, "features/0/norm", "shift"), "i", 11),
        "HASH",
        USAGE,
    ),
    "derived attribute changed": (
        lambda m: setattr(attribute(m, "conv1.acc", "x_offset"), "i", 0),
        "the node 'conv1.acc'" + CHANGED,
        USAGE,
    ),
    "nodes out of order": (
        swap,
        "node 'class' reads 'scores', which no node before it computes; "
        "order the nodes, without a cycle",
        USAGE,
    ),
    "cycle": (
        lambda m: node(m, "pool").input.__setitem__(0, "sum"),
        "node 'pool' reads 'sum', which no node before it computes; "
        "order the nodes, without a cycle",
        USAGE,
    ),
    "two outputs of a node": (
        lambda m: node(m, "sum").output.append("twin"),
        "node 'sum' has 2 outputs, expected 1" + AGAIN,
        USAGE,
    ),
    "missing input of a node": (
        lambda m: node(m, "scores").input.pop(),
        "scores: linear takes 2 inputs (x, weight), 1 are given; give each one",
        USAGE,
    ),
    "node called otherwise": (
        lambda m: setattr(node(m, "sum"), "name", "total"),
        "the node 'sum'" + CHANGED,
        USAGE,
    ),
    "node twice": (
        lambda m: m.graph.node.append(m.graph.node[-1]),
        "value 'class' is defined twice; names must differ",
        USAGE,
    ),
    "output that no node computes": (
        lambda m: setattr(m.graph.output[0], "name", "logits"),
        "value 'logits' is read before it is defined; define it first",
        USAGE,
    ),
    "output of another type": (output_type, "the output 'scores'" + CHANGED, USAGE),
    "no outputs": (
        lambda m: m.graph.ClearField("output"),
        "graph 'sample/net' has no output; add one",
        USAGE,
    ),
    "type of a value changed": (
        lambda m: setattr(m.graph.value_info[0].type.tensor_type, "elem_type", 7),
        "the type of value 'conv1.acc'" + CHANGED,
        USAGE,
    ),
    "types of values removed": (
        lambda m: m.graph.ClearField("value_info"),
        "the number of type of value entries (0, expected 6)" + CHANGED,
        USAGE,
    ),
    "body changed": (body, "the function 'argmax'" + CHANGED, USAGE),
    "function removed": (
        lambda m: m.functions.pop(),
        "the number of function entries (8, expected 9)" + CHANGED,
        USAGE,
    ),
    "written by another version": (
        lambda m: (body(m), setattr(m, "producer_version", "0.0.9")),
        "the function 'argmax'" + CHANGED.replace(f"codesign {VERSION})", "codesign 0.0.9)"),
        USAGE,
    ),
    "more metadata of ours": (
        lambda m: m.metadata_props.add(key="codesign.more", value="1"),
        "the number of metadata entries (7, expected 6)" + CHANGED,
        USAGE,
    ),
    "quantization annotation": (
        lambda m: m.graph.quantization_annotation.add(tensor_name="image"),
        "the graph's frame" + CHANGED,
        USAGE,
    ),
    "name that is no name": (
        lambda m: setattr(m.graph, "name", "two words"),
        "'two words' is not a name; use letters, digits, '.', '_', '-', '/'",
        USAGE,
    ),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_changed_file_is_refused_by_name(case: str) -> None:
    change, expected, exit_code = WRONG[case]
    model = onnx.load_from_string(GOOD)
    change(model)
    message, found = refusal(model.SerializeToString())
    if expected == "HASH":
        head, tail = message.split("the program's hash is sha256:")
        assert head == "m.onnx: "
        assert tail[12:] == (
            f", the file states {HASH}: it was changed after it was written" + AGAIN
        )
    else:
        assert message == f"m.onnx: {expected}"
    assert found == exit_code


def test_names_that_are_no_text_are_refused() -> None:
    data = GOOD.replace(b"features/0/norm", b"features/0/n\xffrm")
    message = "m.onnx: holds a damaged output (not UTF-8 text); export the model again"
    assert refusal(data) == (message, USAGE)


def test_control_characters_are_escaped() -> None:
    model = onnx.load_from_string(GOOD)
    fact(model, "format", "2\n\x1b[31m")
    assert refusal(model.SerializeToString()) == (
        f"m.onnx: is of file format 2\\n\\x1b[31m, codesign {VERSION} reads format 1; "
        "update codesign or export the model again",
        USAGE,
    )


def equal_or_refused(data: bytes) -> None:
    try:
        graph = from_onnx(data, "m.onnx")
    except CodesignError as error:
        assert str(error).startswith("m.onnx: ")
        assert "\n" not in str(error)
    else:
        assert graph == sample()


_FUZZ = settings(
    max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@_FUZZ
@given(st.data())
def test_flipped_bytes_are_refused_or_harmless(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(GOOD) - 1))] ^= data.draw(st.integers(1, 255))
    equal_or_refused(bytes(damaged))


@_FUZZ
@given(at=st.integers(0, len(GOOD)), size=st.integers(0, 40), put=st.binary(max_size=12))
def test_cut_and_patched_files_are_refused_or_harmless(at: int, size: int, put: bytes) -> None:
    equal_or_refused(GOOD[:at])
    equal_or_refused(GOOD[:at] + put + GOOD[at + size :])
