"""The text form of a graph, for people and for comparison, and its content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from codesign.ir.graph import FORMAT, AttrValue, Graph, Node, Value


def to_text(graph: Graph) -> str:
    """One line a value: `name : shape type = op(inputs) attribute=value`; constants by digest.

    Two graphs have the same text if and only if they have the same content hash.
    """
    return _text(graph, {name: digest(value) for name, value in graph.constants.items()})


def _text(graph: Graph, digests: Mapping[str, str]) -> str:
    lines = [f"codesign-ir {FORMAT}", f"graph {graph.name}"]
    for key in sorted(graph.metadata):
        text = json.dumps(graph.metadata[key], sort_keys=True, ensure_ascii=False)
        lines.append(f"  meta   {key} = {text}")
    for name in graph.inputs:
        lines.append(f"  input  {name} : {graph.values[name]}")
    for name, value in graph.constants.items():
        bits = value.type.storage_bits
        lines.append(f"  const  {name} : {value} {bits}b {digests[name]}")
    for node in graph.nodes:
        lines.append(f"  {_node_line(node, graph.values[node.name])}")
    lines.extend(f"  output {name}" for name in graph.outputs)
    return "\n".join(lines) + "\n"


def _node_line(node: Node, value: Value) -> str:
    attrs = "".join(f" {key}={_attr(item)}" for key, item in sorted(node.attrs.items()))
    return f"{node.name} : {value} = {node.op}({', '.join(node.inputs)}){attrs}"


def _attr(value: AttrValue) -> str:
    return str(value) if isinstance(value, int) else ",".join(map(str, value))


def digest(value: Value) -> str:
    """Digest of a constant's codes, the same on any machine: 16 hex digits."""
    return _short(_octets(value))


def content_hash(graph: Graph) -> str:
    """`sha256:` and the digest of the text form with every constant's codes."""
    octets = {name: _octets(value) for name, value in graph.constants.items()}
    digests = {name: _short(raw) for name, raw in octets.items()}
    state = hashlib.sha256(_text(graph, digests).encode())
    for raw in octets.values():
        state.update(raw)
    return f"sha256:{state.hexdigest()}"


def _octets(value: Value) -> bytes:
    assert value.data is not None  # a constant
    return value.data.astype("<i8").tobytes()


def _short(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
