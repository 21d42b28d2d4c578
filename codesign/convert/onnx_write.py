"""The program as an ordinary ONNX file: every node calls a function of the domain `codesign`.

Design choice (architecture.md, decision 3): one file is compact, read back by `from_onnx`, and run
bit for bit by an ONNX runtime that knows nothing of codesign.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    StringStringEntryProto,
    TensorProto,
    ValueInfoProto,
)

import codesign
from codesign.convert import _onnx_functions as functions
from codesign.convert._bits import pack
from codesign.errors import CodesignError
from codesign.files import write_atomic
from codesign.ir import FORMAT, Graph, Node, Value, check, lookup

#: Prefix of our keys in `metadata_props`; other keys are left to other tools.
PREFIX = "codesign."
#: The symbolic size of every map's first axis.
BATCH = "N"
_INT64 = 1 << 63


def to_onnx(graph: Graph, *, extra_outputs: Sequence[str] = ()) -> bytes:
    """The ONNX file of `graph`: equal graphs give equal bytes.

    `extra_outputs` are names of results to hand out after the graph's own outputs. Raises
    CodesignError where the graph is illegal or an attribute needs more than 64 bits.
    """
    for name in extra_outputs:
        if name not in graph.results:
            raise CodesignError(
                f"{graph.name}: extra output {name!r} is not the result of a node; name a node"
            )
    outputs = tuple(dict.fromkeys([*graph.outputs, *extra_outputs]))
    whole = replace(graph, outputs=outputs)
    check(whole)
    return bytes(model_proto(whole).SerializeToString(deterministic=True))


def save(graph: Graph, path: str | Path) -> None:
    """Write `graph` to the file `path`, whole or not at all."""
    write_atomic(path, to_onnx(graph))


def model_proto(graph: Graph) -> ModelProto:
    """The file of a legal graph, as a protobuf message."""
    return ModelProto(
        ir_version=functions.IR_VERSION,
        producer_name="codesign",
        producer_version=codesign.__version__,
        opset_import=functions.opsets(),
        functions=function_protos(graph),
        graph=_graph_proto(graph),
        metadata_props=[
            StringStringEntryProto(key=key, value=value) for key, value in metadata(graph).items()
        ],
    )


def metadata(graph: Graph) -> dict[str, str]:
    """What ONNX has no place for, by key of `metadata_props`."""
    used = sorted({node.op for node in graph.nodes})
    facts = {
        "format": FORMAT,
        "operations": {op: lookup(op).version for op in used},
        "inputs": {name: _code_set(graph.values[name]) for name in graph.inputs},
        "outputs": {name: _code_set(graph.values[name]) for name in graph.outputs},
        "metadata": dict(graph.metadata),
    }
    texts = {f"{PREFIX}{key}": canonical_json(value) for key, value in facts.items()}
    return {**texts, f"{PREFIX}hash": graph.hash}


def function_protos(graph: Graph) -> list[FunctionProto]:
    """The functions that the graph's nodes call, ordered by name."""
    used = sorted({node.op for node in graph.nodes})
    unpack = [functions.unpack_function()] if graph.constants else []
    return [*(functions.function(op) for op in used), *unpack]


def initializer_name(constant: str) -> str:
    """Name of a constant's packed codes; the blank keeps it apart from every value's name."""
    return f"{constant} packed"


def _graph_proto(graph: Graph) -> GraphProto:
    inner = [name for name in graph.results if name not in graph.outputs]
    return GraphProto(
        name=graph.name,
        input=[_value_info(name, graph.values[name]) for name in graph.inputs],
        initializer=[_initializer(name, value) for name, value in graph.constants.items()],
        node=[
            *(_unpack_node(name, value) for name, value in graph.constants.items()),
            *(_node(graph, node) for node in graph.nodes),
        ],
        output=[_value_info(name, graph.values[name]) for name in graph.outputs],
        value_info=[_value_info(name, graph.values[name]) for name in inner],
    )


def _value_info(name: str, value: Value) -> ValueInfoProto:
    info = ValueInfoProto(name=name)
    tensor = info.type.tensor_type
    tensor.elem_type = functions.element_type(value.type.dtype)
    tensor.shape.dim.add(dim_param=BATCH)
    for size in value.shape:
        tensor.shape.dim.add(dim_value=size)
    return info


def _initializer(name: str, value: Value) -> TensorProto:
    assert value.data is not None  # a constant
    raw = pack(value.data, value.type)
    return TensorProto(
        name=initializer_name(name), dims=[len(raw)], data_type=TensorProto.UINT8, raw_data=raw
    )


def _unpack_node(name: str, value: Value) -> NodeProto:
    values: dict[str, int | tuple[int, ...]] = {
        "bits": value.type.storage_bits,
        "lo": value.type.lo,
        "hi": value.type.hi,
        "step": value.type.step,
        "shape": value.shape,
        functions.CARRIER: functions.element_type(value.type.dtype),
    }
    return NodeProto(
        name=name,
        op_type=functions.UNPACK,
        domain=functions.DOMAIN,
        input=[initializer_name(name)],
        output=[name],
        attribute=_attributes(name, functions.unpack_function(), values),
    )


def _node(graph: Graph, node: Node) -> NodeProto:
    values = {
        **node.attrs,
        **lookup(node.op).onnx_attributes(graph.arguments(node), node.attrs),
        functions.CARRIER: functions.element_type(graph.values[node.name].type.dtype),
    }
    return NodeProto(
        name=node.name,
        op_type=node.op,
        domain=functions.DOMAIN,
        input=node.inputs,
        output=[node.name],
        attribute=_attributes(node.name, functions.function(node.op), values),
    )


def _attributes(
    node: str, function: FunctionProto, values: dict[str, int | tuple[int, ...]]
) -> list[AttributeProto]:
    """The attributes that the function names, in its order."""
    for name in function.attribute:
        value = values[name]
        for item in (value,) if isinstance(value, int) else value:
            if not -_INT64 <= item < _INT64:
                raise CodesignError(
                    f"{node}: attribute {name} is {item}; a file holds signed 64 b; "
                    "use a smaller number"
                )
    return [functions.attribute(name, values[name]) for name in function.attribute]


def _code_set(value: Value) -> dict[str, int]:
    return {"lo": value.type.lo, "hi": value.type.hi, "step": value.type.step}


def canonical_json(value: Any) -> str:
    """The one JSON text of `value` that we write."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
