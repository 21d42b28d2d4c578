"""The integer program: types, graph, builder, checker, text form, operation declarations."""

from codesign.ir.builder import GraphBuilder, infer
from codesign.ir.check import check
from codesign.ir.cost import KINDS, Operation, Operations, mac, ops
from codesign.ir.graph import FORMAT, AttrValue, Graph, Node, Value, constant
from codesign.ir.opspec import (
    Attribute,
    FunctionBuilder,
    OpSpec,
    lookup,
    register,
    specs,
    table,
)
from codesign.ir.text import content_hash, digest, to_text
from codesign.ir.types import CARRIERS, MAX_WIDTH, IntArray, IntType, code_set, unsigned

__all__ = [
    "CARRIERS",
    "FORMAT",
    "KINDS",
    "MAX_WIDTH",
    "AttrValue",
    "Attribute",
    "FunctionBuilder",
    "Graph",
    "GraphBuilder",
    "IntArray",
    "IntType",
    "Node",
    "OpSpec",
    "Operation",
    "Operations",
    "Value",
    "check",
    "code_set",
    "constant",
    "content_hash",
    "digest",
    "infer",
    "lookup",
    "mac",
    "ops",
    "register",
    "specs",
    "table",
    "to_text",
    "unsigned",
]
