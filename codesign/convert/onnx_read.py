"""The program back from its ONNX file; anything but what `to_onnx` writes is refused by name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from codesign.convert import _onnx_functions as functions
from codesign.convert._bits import packed_size, unpack
from codesign.convert._onnx_legal import need_ours, need_same
from codesign.convert.onnx_write import BATCH, PREFIX
from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, lookup


def load(path: str | Path) -> Graph:
    """The program in the file `path`; CodesignError (one line) where there is none to read."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise CodesignError(f"{path}: no such file; give a model that codesign exported") from None
    except IsADirectoryError:
        raise CodesignError(
            f"{path}: is a folder; give a model file that codesign exported"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CodesignError(
            f"{path}: cannot be read ({reason.lower()}); give a file you may read"
        ) from None
    return from_onnx(data, str(path))


def from_onnx(data: bytes, source: str) -> Graph:
    """The program in the bytes of an ONNX file; messages begin with `source`.

    The graph is typed and proved anew and its hash compared; then the file must be the one that
    `to_onnx` writes for it, so that an ONNX runtime cannot compute anything else. Raises
    CodesignError, UnsupportedError for an operation outside the vocabulary.
    """
    try:
        model = _parse(data)
        need_ours(model)
        graph = _graph(model)
        need_same(model, graph)
    except CodesignError as error:
        raise type(error)(f"{source}: {_one_line(str(error))}") from None
    except RecursionError:
        raise CodesignError(
            f"{source}: its metadata is nested too deep; export the model again"
        ) from None
    return graph


def _one_line(message: str) -> str:
    """`message` with what a file put into it escaped: a damaged name may hold anything."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def _parse(data: bytes) -> ModelProto:
    if not data:
        raise CodesignError("is empty; give a model that codesign exported")
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        model.Clear()
    if not model.HasField("graph"):
        raise CodesignError(
            "is not an ONNX file, or is cut short; give a whole file that codesign exported"
        )
    _need_text(model)
    return model


def _need_text(message: Message) -> None:
    """Refuse text that is not UTF-8; protobuf hands it out as bytes."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            if any(isinstance(item, bytes) for item in ([value] if _single(value) else value)):
                raise CodesignError(
                    f"holds a damaged {field.name} (not UTF-8 text); export the model again"
                )
        elif field.type == field.TYPE_MESSAGE:
            for item in [value] if _single(value) else value:
                _need_text(item)


def _single(value: object) -> bool:
    return isinstance(value, str | bytes | Message)


def _graph(model: ModelProto) -> Graph:
    facts = {prop.key: prop.value for prop in model.metadata_props}
    builder = GraphBuilder(model.graph.name, _mapping(facts, "metadata"))
    types = _mapping(facts, "inputs")
    defined = set()
    for info in model.graph.input:
        builder.input(info.name, _shape(info), _code_set(info.name, types))
        defined.add(info.name)
    packed = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if len(node.output) != 1:
            raise CodesignError(
                f"node {node.name!r} has {len(node.output)} outputs, expected 1; "
                "export the model again"
            )
        name = node.output[0]
        if node.op_type == functions.UNPACK:
            builder.constant(name, *_constant(node, packed))
        else:
            for source in node.input:
                if source not in defined:
                    raise CodesignError(
                        f"node {name!r} reads {source!r}, which no node before it computes; "
                        "order the nodes, without a cycle"
                    )
            spec = lookup(node.op_type)
            own = {attribute.name for attribute in spec.attributes}
            given = {key: value for key, value in _attributes(node).items() if key in own}
            builder.node(name, node.op_type, list(node.input), **given)
        defined.add(name)
    for info in model.graph.output:
        builder.output(info.name)
    graph = builder.build()
    stated = facts.get(f"{PREFIX}hash", "missing")
    if stated != graph.hash:
        raise CodesignError(
            f"the program's hash is {graph.hash[:19]}, the file states {stated[:19]}: it was "
            "changed after it was written; export the model again"
        )
    return graph


def _mapping(facts: dict[str, str], key: str) -> dict[str, Any]:
    """The JSON object under our metadata key `key`."""
    name = f"{PREFIX}{key}"
    if name not in facts:
        raise CodesignError(f"metadata {name} is missing; export the model again")
    try:
        value = json.loads(facts[name])
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CodesignError(f"metadata {name} is not a JSON object; export the model again")
    return value


def _code_set(name: str, types: dict[str, Any]) -> IntType:
    fields = types.get(name)
    if (
        not isinstance(fields, dict)
        or sorted(fields) != ["hi", "lo", "step"]
        or any(type(item) is not int for item in fields.values())
    ):
        raise CodesignError(
            f"metadata {PREFIX}inputs gives no lo, hi and step of input {name!r}; "
            "export the model again"
        )
    return IntType(fields["lo"], fields["hi"], fields["step"])


def _shape(info: ValueInfoProto) -> tuple[int, ...]:
    """The sizes of an input after its batch axis, which alone is symbolic."""
    dims = list(info.type.tensor_type.shape.dim)
    if not dims or dims[0].HasField("dim_value"):
        found = f"the fixed size {dims[0].dim_value}" if dims else "no size"
        raise CodesignError(
            f"input {info.name!r}: the batch axis has {found}, expected {BATCH!r}; "
            "export the model again"
        )
    for axis, dim in enumerate(dims[1:], start=1):
        if not dim.HasField("dim_value"):
            raise CodesignError(
                f"input {info.name!r}: axis {axis} has the dynamic size {dim.dim_param or '?'!r}; "
                "only the batch may be dynamic; export with a fixed size"
            )
    return tuple(dim.dim_value for dim in dims[1:])


def _attributes(node: NodeProto) -> dict[str, int | tuple[int, ...]]:
    found: dict[str, int | tuple[int, ...]] = {}
    for proto in node.attribute:
        if proto.type == AttributeProto.INT:
            found[proto.name] = proto.i
        elif proto.type == AttributeProto.INTS:
            found[proto.name] = tuple(proto.ints)
        else:
            kind = AttributeProto.AttributeType.Name(proto.type)
            raise CodesignError(
                f"node {node.output[0]!r}: attribute {proto.name} is {kind}, expected INT or INTS; "
                "export the model again"
            )
    return found


def _constant(node: NodeProto, packed: dict[str, TensorProto]) -> tuple[IntArray, IntType]:
    """Codes and type of the constant that an unpack node expands."""
    name = node.output[0]
    given = _attributes(node)
    lo, hi, step = given.get("lo"), given.get("hi"), given.get("step")
    shape = given.get("shape")
    if (
        not isinstance(lo, int)
        or not isinstance(hi, int)
        or not isinstance(step, int)
        or not isinstance(shape, tuple)
        or any(size < 1 for size in shape)
    ):
        raise CodesignError(
            f"constant {name!r} needs the integers lo, hi, step and a positive shape; "
            "export the model again"
        )
    source = node.input[0] if len(node.input) == 1 else ""
    if source not in packed:
        raise CodesignError(
            f"constant {name!r} reads {source!r}, which is no initializer; export the model again"
        )
    tensor = packed[source]
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise CodesignError(
            f"initializer {source!r} is kept in another file; save the model as one file"
        )
    try:
        code_type = IntType(lo, hi, step)
    except CodesignError as error:
        raise CodesignError(f"constant {name!r}: {error}") from None
    expected = packed_size(math.prod(shape), code_type.storage_bits)
    if len(tensor.raw_data) != expected:
        raise CodesignError(
            f"initializer {source!r} has {len(tensor.raw_data)} B, expected {expected} B "
            f"for {math.prod(shape)} codes of {code_type.storage_bits} b; export the model again"
        )
    return unpack(tensor.raw_data, shape, code_type), code_type
