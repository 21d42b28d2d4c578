"""The ONNX function of each operation: standard integer operators, one body for every use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    ValueInfoProto,
)

from codesign.ir import FORMAT, FunctionBuilder, lookup

#: Domain of the functions; its version is the format's.
DOMAIN = "codesign"
#: The standard opset and file version that every file states; both are of ONNX 1.13, the first
#: that has the bitwise operators, so that runtimes of several years read our files.
OPSET = 18
IR_VERSION = 8
#: The function that expands packed constants; it is not in the op table.
UNPACK = "unpack"
#: The attribute that holds the carrier of a node's result, for `FunctionBuilder.carry`.
CARRIER = "to"

_ELEMENT = {
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint64": TensorProto.UINT64,
}


def element_type(dtype: str | np.dtype[Any]) -> int:
    """ONNX's number of an array type."""
    return int(_ELEMENT[str(dtype)])


def opsets() -> list[OperatorSetIdProto]:
    """The operator sets a file imports: the standard one and ours."""
    return [
        OperatorSetIdProto(domain="", version=OPSET),
        OperatorSetIdProto(domain=DOMAIN, version=FORMAT),
    ]


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute of the calling node, used as an attribute inside a body."""

    name: str


def attribute(name: str, value: object, kind: str = "int") -> AttributeProto:
    """The attribute `name`: an integer, a list of integers, text, a tensor or a `Reference`.

    `kind` ("int" or "ints") is what a reference refers to.
    """
    proto = AttributeProto(name=name)
    if isinstance(value, Reference):
        proto.ref_attr_name = value.name
        proto.type = AttributeProto.INT if kind == "int" else AttributeProto.INTS
    elif isinstance(value, str):
        proto.s, proto.type = value.encode(), AttributeProto.STRING
    elif isinstance(value, TensorProto):
        proto.t.CopyFrom(value)
        proto.type = AttributeProto.TENSOR
    elif isinstance(value, GraphProto):
        proto.g.CopyFrom(value)
        proto.type = AttributeProto.GRAPH
    elif isinstance(value, int):
        proto.i, proto.type = value, AttributeProto.INT
    else:
        proto.ints.extend(value)
        proto.type = AttributeProto.INTS
    return proto


def _int64_info(name: str, rank: int | None) -> ValueInfoProto:
    """An int64 tensor of unknown sizes, for the edge of a step's graph."""
    info = ValueInfoProto(name=name)
    info.type.tensor_type.elem_type = TensorProto.INT64
    if rank is not None:
        info.type.tensor_type.shape.SetInParent()
        for _ in range(rank):
            info.type.tensor_type.shape.dim.add()
    return info


class BodyBuilder:
    """Writes one function's body; the protocol is `codesign.ir.FunctionBuilder`.

    Args:
        kinds: the calling node's own attributes, "int" or "ints"; all others are "int".
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = dict(kinds)
        self.nodes: list[NodeProto] = []
        self._count = 0
        #: The calling node's attributes: its own, then those the body refers to besides.
        self.attributes = list(kinds)
        self._known: dict[object, str] = {}

    def __getattr__(self, onnx_op: str) -> Callable[..., str]:
        if not onnx_op[0].isupper():
            raise AttributeError(onnx_op)

        def add(*inputs: str, **attributes: object) -> str:
            return self._add(onnx_op, inputs, attributes)

        return add

    def ref(self, attribute: str) -> Any:
        if attribute not in self.attributes:
            self.attributes.append(attribute)
        return Reference(attribute)

    def attr(self, attribute: str, dtype: str = "int64") -> str:
        kind = self.kinds.get(attribute, "int")
        read = self._once(("attr", attribute), "Constant", **{f"value_{kind}": self.ref(attribute)})
        if dtype == "int64":
            return read
        return self._once(("attr", attribute, dtype), "Cast", read, to=element_type(dtype))

    def const(self, value: int | list[int], dtype: str = "int64") -> str:
        array = np.array(value, dtype=dtype)
        tensor = TensorProto(dims=array.shape, data_type=element_type(dtype))
        tensor.raw_data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        return self._once(("const", str(value), dtype), "Constant", value=tensor)

    def cast(self, value: str, dtype: str) -> str:
        return self._add("Cast", (value,), {"to": element_type(dtype)})

    def carry(self, value: str) -> str:
        return self._add("Cast", (value,), {"to": self.ref(CARRIER)})

    def _once(self, key: object, onnx_op: str, *inputs: str, **attributes: object) -> str:
        if key not in self._known:
            self._known[key] = self._add(onnx_op, inputs, attributes)
        return self._known[key]

    def _add(self, onnx_op: str, inputs: tuple[str, ...], attributes: dict[str, object]) -> str:
        result = self._name()
        self._write(onnx_op, inputs, [result], attributes)
        return result

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count - 1}"

    def _write(
        self,
        onnx_op: str,
        inputs: Sequence[str],
        results: Sequence[str],
        attributes: dict[str, object],
    ) -> None:
        protos = []
        for name, value in attributes.items():
            kind = self.kinds.get(value.name, "int") if isinstance(value, Reference) else "int"
            protos.append(attribute(name, value, kind))
        self.nodes.append(
            NodeProto(op_type=onnx_op, input=inputs, output=results, attribute=protos)
        )

    def scan(
        self,
        step: Callable[..., tuple[Sequence[str], Sequence[str]]],
        states: Sequence[tuple[str, int]],
        items: Sequence[tuple[str, int]],
        axis: int = 0,
    ) -> tuple[list[str], list[str]]:
        outer, known = self.nodes, self._known
        self.nodes, self._known = [], dict(known)
        inner = [(self._name(), rank) for _, rank in states]
        inner += [(self._name(), rank - 1) for _, rank in items]
        following, found = step(*(name for name, _ in inner))
        results = [
            *((name, rank) for name, (_, rank) in zip(following, states, strict=True)),
            *((name, None) for name in found),
        ]
        body = GraphProto(
            name="step",
            input=[_int64_info(name, rank) for name, rank in inner],
            node=self.nodes,
            output=[_int64_info(name, rank) for name, rank in results],
        )
        self.nodes, self._known = outer, known
        last, stacked = [self._name() for _ in states], [self._name() for _ in found]
        self._write(
            "Scan",
            [name for name, _ in (*states, *items)],
            [*last, *stacked],
            {
                "body": body,
                "num_scan_inputs": len(items),
                "scan_input_axes": [axis] * len(items),
                "scan_output_axes": [axis] * len(found),
            },
        )
        return last, stacked

    def function(self, name: str, inputs: tuple[str, ...], result: str, doc: str) -> FunctionProto:
        """The finished function."""
        return FunctionProto(
            name=name,
            domain=DOMAIN,
            doc_string=doc,
            input=inputs,
            output=[result],
            attribute=self.attributes,
            node=self.nodes,
            opset_import=opsets()[:1],
        )


@cache
def function(op: str) -> FunctionProto:
    """The function of the operation `op` of the table; UnsupportedError for an unknown one."""
    spec = lookup(op)
    kinds = {attribute.name: attribute.kind for attribute in spec.attributes}
    body = BodyBuilder({**kinds, **spec.onnx_kinds})
    builder: FunctionBuilder = body
    result = spec.onnx(builder, *spec.inputs)
    return body.function(op, spec.inputs, result, spec.doc.splitlines()[0])


@cache
def unpack_function() -> FunctionProto:
    """`codesign.unpack`: a constant's codes from its packed bits.

    Bit `b` of the stream is bit `b % 8` of byte `b // 8`; index `i` takes the bits
    `i*bits .. (i+1)*bits - 1`, least first, and stands for the code `lo + step * index`.
    `hi` completes the type; the body does not read it.
    """
    kinds = dict.fromkeys(("bits", "lo", "hi", "step"), "int")
    f = BodyBuilder({**kinds, "shape": "ints"})
    zero, one = f.const([0]), f.const([1])
    bits = f.Unsqueeze(f.attr("bits"), zero)
    used = f.Mul(f.ReduceProd(f.attr("shape"), keepdims=1), bits)
    places = f.const(list(range(8)), "uint8")
    spread = f.BitShift(f.Unsqueeze("packed", one), places, direction="RIGHT")
    stream = f.Reshape(f.BitwiseAnd(spread, f.const(1, "uint8")), f.const([-1]))
    rows = f.Reshape(f.Slice(stream, zero, used, zero), f.Concat(f.const([-1]), bits, axis=0))
    exponents = f.cast(f.Range(f.const(0), f.attr("bits"), f.const(1)), "uint64")
    powers = f.BitShift(f.const(1, "uint64"), exponents, direction="LEFT")
    index = f.ReduceSum(f.Mul(f.cast(rows, "int64"), f.cast(powers, "int64")), one, keepdims=0)
    codes = f.Add(f.Mul(index, f.attr("step")), f.attr("lo"))
    result = f.carry(f.Reshape(codes, f.attr("shape")))
    return f.function(UNPACK, ("packed",), result, "codes = lo + step * index, of packed bits")
