"""The one way to make a graph: every node is typed and proved as it is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign.errors import CodesignError
from codesign.ir.graph import Graph, Node, Value, constant
from codesign.ir.opspec import OpSpec, lookup
from codesign.ir.types import IntArray, IntType

#: Widest register of a computed value; ONNX's integer products accumulate in 32 bits.
MAX_WIDTH = 32


class GraphBuilder:
    """Builds a `Graph`; methods give the name of the value they add.

    Example:
        b = GraphBuilder("tiny")
        x = b.input("image", (3, 8, 8), IntType(0, 255))
        w = b.constant("conv1.weight", codes, IntType(-1, 1))
        b.output(b.node("conv1", "conv", [x, w], padding=(1, 1)))
        graph = b.build()
    """

    def __init__(self, name: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.metadata = dict(metadata or {})
        self._values: dict[str, Value] = {}
        self._inputs: list[str] = []
        self._nodes: list[Node] = []
        self._outputs: list[str] = []

    def input(self, name: str, shape: tuple[int, ...], code_type: IntType) -> str:
        """A graph input of this shape (no batch axis) and code set."""
        for size in shape:
            if size < 1:
                raise CodesignError(
                    f"input {name!r} has shape {tuple(shape)}; every size must be 1 or more"
                )
        self._inputs.append(name)
        return self._define(name, Value(tuple(map(int, shape)), code_type))

    def constant(self, name: str, codes: IntArray, code_type: IntType) -> str:
        """A constant; its codes must be in `code_type`."""
        try:
            value = constant(codes, code_type)
        except CodesignError as error:
            raise CodesignError(f"{name}: {error}") from None
        return self._define(name, value)

    def node(self, name: str, op: str, inputs: list[str], **attrs: object) -> str:
        """Add `name = op(inputs; attrs)`; CodesignError begins with the node's name."""
        spec = lookup(op)
        arguments = [self.value(source) for source in inputs]
        try:
            parsed = spec.parse_attributes(attrs)
            result = infer(spec, tuple(arguments), parsed)
        except CodesignError as error:
            raise type(error)(f"{name}: {error}") from None
        self._define(name, result)
        self._nodes.append(Node(name, op, tuple(inputs), parsed))
        return name

    def output(self, name: str) -> str:
        """Hand the value `name` out."""
        self.value(name)
        if name in self._outputs:
            raise CodesignError(f"output {name!r} is given twice; give it once")
        self._outputs.append(name)
        return name

    def value(self, name: str) -> Value:
        """The value called `name`; CodesignError where it is not defined yet."""
        if name not in self._values:
            raise CodesignError(f"value {name!r} is read before it is defined; define it first")
        return self._values[name]

    def build(self) -> Graph:
        """The finished graph; needs an input and an output."""
        if not self._inputs or not self._outputs:
            missing = "input" if not self._inputs else "output"
            raise CodesignError(f"graph {self.name!r} has no {missing}; add one")
        return Graph(
            self.name,
            tuple(self._inputs),
            tuple(self._nodes),
            tuple(self._outputs),
            self._values,
            self.metadata,
        )

    def _define(self, name: str, value: Value) -> str:
        if not name or any(
            character.isspace() or not character.isprintable() for character in name
        ):
            raise CodesignError(f"{name!r} is not a name; use letters, digits, '.', '_', '-', '/'")
        if name in self._values:
            raise CodesignError(f"value {name!r} is defined twice; names must differ")
        self._values[name] = value
        return name


def infer(spec: OpSpec, arguments: tuple[Value, ...], attrs: Mapping[str, object]) -> Value:
    """The result of `spec` on these arguments: its shape and its proved interval.

    Raises CodesignError where the arguments do not fit or the result needs over 32 bits.
    """
    if len(arguments) != len(spec.inputs):
        raise CodesignError(
            f"{spec.name} takes {len(spec.inputs)} inputs ({', '.join(spec.inputs)}), "
            f"{len(arguments)} are given; give each one"
        )
    for label, argument in zip(spec.inputs, arguments, strict=True):
        if argument.is_constant != (label in spec.constant_inputs):
            found, wanted = (
                ("a map", "constant") if argument.data is None else ("constant", "a map")
            )
            raise CodesignError(f"{spec.name}: input {label} is {found}; it must be {wanted}")
    result = spec.infer(*arguments, **attrs)
    limit = 1 << (MAX_WIDTH - 1)
    if result.type.lo < -limit or result.type.hi >= limit:
        raise CodesignError(
            f"{spec.name}: the result's interval is {result.type}, {result.type.width} b; "
            f"at most {MAX_WIDTH} signed bits are allowed; narrow the operands or rescale earlier"
        )
    return result
