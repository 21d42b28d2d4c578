"""What an ONNX file must be before and after its program is read: ours, and unchanged."""

from __future__ import annotations

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

import codesign
from codesign.convert import _onnx_functions as functions
from codesign.convert.onnx_write import PREFIX, canonical_json, model_proto
from codesign.errors import CodesignError, UnsupportedError
from codesign.ir import FORMAT, Graph, lookup

_FLOATS = {
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.DOUBLE,
}


def need_ours(model: ModelProto) -> None:
    """Refuse a file of another format, tool or version; CodesignError says which.

    A node outside the vocabulary (UnsupportedError) is named before anything else but the format.
    """
    facts = {prop.key: prop.value for prop in model.metadata_props}
    found = facts.get(f"{PREFIX}format")
    if found is not None and found != str(FORMAT):
        raise CodesignError(
            f"is of file format {found}, codesign {codesign.__version__} reads format {FORMAT}; "
            "update codesign or export the model again"
        )
    for number, node in enumerate(model.graph.node):
        _need_operation(model.graph, node, number)
    if found is None:
        raise CodesignError("has no codesign metadata; give a model that codesign exported")
    _need_versions(model)
    used = {node.op_type for node in model.graph.node if node.op_type != functions.UNPACK}
    expected = canonical_json({op: lookup(op).version for op in used})
    stated = facts.get(f"{PREFIX}operations", "none")
    if stated != expected:
        raise CodesignError(
            f"has operations of the versions {stated}, codesign {codesign.__version__} has "
            f"{expected}; export the model again"
        )


def _need_operation(graph: GraphProto, node: NodeProto, number: int) -> None:
    """Refuse a node that calls no operation of the table."""
    label = repr(node.name or next(iter(node.output), "") or f"number {number}")
    if node.domain == functions.DOMAIN:
        if node.op_type != functions.UNPACK:
            try:
                lookup(node.op_type)
            except UnsupportedError as error:
                raise UnsupportedError(f"node {label}: {error}") from None
        return
    what = f"the operator {node.op_type} of domain {node.domain or 'ai.onnx'}"
    if not node.domain or node.domain == "ai.onnx":
        if node.op_type == "Conv":
            what = "a float convolution (Conv)"
        elif any(name in _float_names(graph) for name in (*node.input, *node.output)):
            what = f"a float {node.op_type}"
    raise UnsupportedError(
        f"node {label} is {what}; codesign runs integer programs of its own operations; "
        "build the network from codesign.nn layers, train it and export it"
    )


def _float_names(graph: GraphProto) -> set[str]:
    infos = [*graph.input, *graph.output, *graph.value_info]
    names = {info.name for info in infos if info.type.tensor_type.elem_type in _FLOATS}
    return names | {tensor.name for tensor in graph.initializer if tensor.data_type in _FLOATS}


def _need_versions(model: ModelProto) -> None:
    """Refuse another ONNX version or operator set than we write."""
    if model.ir_version != functions.IR_VERSION:
        raise CodesignError(
            f"is of ONNX IR version {model.ir_version}, expected {functions.IR_VERSION}; "
            "export the model again"
        )
    found = {opset.domain: opset.version for opset in model.opset_import}
    expected = {opset.domain: opset.version for opset in functions.opsets()}
    for domain in (*found, *expected):
        if found.get(domain) != expected.get(domain):
            raise CodesignError(
                f"imports opset {found.get(domain, 'none')} of domain {domain or 'ai.onnx'}, "
                f"expected {expected.get(domain, 'none')}; export the model again"
            )


def need_same(model: ModelProto, graph: Graph) -> None:
    """Refuse a file that differs from what `to_onnx` writes for the program it holds.

    Producer, model version, doc strings and metadata of other tools are free. `model` loses them.
    """
    writer = f"{model.producer_name or 'unknown'} {model.producer_version}".strip()
    expected = model_proto(graph)
    for proto in (model, expected):
        _drop_free(proto)
    kinds = (
        ("function", model.functions, expected.functions),
        ("input", model.graph.input, expected.graph.input),
        ("initializer", model.graph.initializer, expected.graph.initializer),
        ("node", model.graph.node, expected.graph.node),
        ("output", model.graph.output, expected.graph.output),
        ("type of value", model.graph.value_info, expected.graph.value_info),
        ("metadata", model.metadata_props, expected.metadata_props),
    )
    for kind, found, wanted in kinds:
        label = "key" if kind == "metadata" else "name"
        for one, other in zip(found, wanted, strict=False):
            if one != other:
                raise CodesignError(_changed(f"{kind} {getattr(other, label)!r}", writer))
        if len(found) != len(wanted):
            what = f"number of {kind} entries ({len(found)}, expected {len(wanted)})"
            raise CodesignError(_changed(what, writer))
    if model != expected:
        raise CodesignError(_changed("graph's frame", writer))


def _drop_free(model: ModelProto) -> None:
    """Drop what a file may say besides the program."""
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string"):
        model.ClearField(field)
    described = (
        *(model.graph, *model.functions, *model.graph.node, *model.graph.initializer),
        *(*model.graph.input, *model.graph.output, *model.graph.value_info),
    )
    for proto in described:
        proto.ClearField("doc_string")
    ours = [prop for prop in model.metadata_props if prop.key.startswith(PREFIX)]
    kept = [type(prop).FromString(prop.SerializeToString()) for prop in ours]
    model.ClearField("metadata_props")
    model.metadata_props.extend(kept)


def _changed(what: str, writer: str) -> str:
    return (
        f"the {what} is not as codesign {codesign.__version__} writes it (file written by "
        f"{writer}): changed, or of another version; export the model again"
    )
