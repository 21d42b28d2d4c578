"""The text form of a graph, for people and for comparison, and its content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from codesign.ir.graph import FORMAT, AttrValue, Graph, Node, Value

#: Codes that are hashed at a time.
_PART = 1 << 16
#: Codes for which it is worth to start threads.
_MANY = 1 << 20


def to_text(graph: Graph) -> str:
    """One line a value: `name : shape type = op(inputs) attribute=value`; constants by digest.

    Two graphs have the same text if and only if they have the same content hash.
    """
    return _text(graph, _digests(graph.constants))


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
    state = hashlib.sha256()
    for codes in _octets(value):
        state.update(codes)
    return state.hexdigest()[:16]


def content_hash(graph: Graph) -> str:
    """`sha256:` and the digest of the text form with every constant's codes."""
    constants = graph.constants
    state = hashlib.sha256(_text(graph, _digests(constants)).encode())
    for value in constants.values():
        for codes in _octets(value):
            state.update(codes)
    return f"sha256:{state.hexdigest()}"


def _digests(constants: Mapping[str, Value]) -> dict[str, str]:
    """The digest of each; many codes by several threads, which a hash lets run."""
    if sum(value.size for value in constants.values()) < _MANY:
        return {name: digest(value) for name, value in constants.items()}
    with ThreadPoolExecutor() as pool:
        return dict(zip(constants, pool.map(digest, constants.values()), strict=True))


def _octets(value: Value) -> Iterator[memoryview]:
    """The codes as 64-bit integers, some at a time: that many stay in the nearest caches."""
    assert value.data is not None  # a constant
    codes = value.data.reshape(-1)
    for start in range(0, len(codes), _PART):
        yield codes[start : start + _PART].astype("<i8").data
