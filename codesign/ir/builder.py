"""The one way to make a graph: every node is typed and proved as it is added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codesign.errors import CodesignError
from codesign.ir.graph import Graph, Node, Value, constant
from codesign.ir.opspec import OpSpec, lookup
from codesign.ir.types import MAX_WIDTH, IntArray, IntType


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
        need_name(name)
        self.name = name
        self.metadata = {key: plain_json(key, item) for key, item in (metadata or {}).items()}
        self._values: dict[str, Value] = {}
        self._inputs: list[str] = []
        self._nodes: list[Node] = []
        self._outputs: list[str] = []

    def input(self, name: str, shape: tuple[int, ...], code_type: IntType) -> str:
        """A graph input of this shape (no batch axis) and code set."""
        value = Value(tuple(map(int, shape)), code_type)
        need_input(name, value)
        self._define(name, value)
        self._inputs.append(name)
        return name

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
        """Hand the result `name` of a node out."""
        self.value(name)
        if all(node.name != name for node in self._nodes):
            raise CodesignError(f"output {name!r} is not the result of a node; name a node")
        if self.value(name).is_constant:
            raise CodesignError(f"output {name!r} is generated weights; hand a map out")
        if name in self._outputs:
            raise CodesignError(f"output {name!r} is given twice; give it once")
        self._outputs.append(name)
        return name

    def value(self, name: str) -> Value:
        """The value called `name`; CodesignError where it is not defined yet."""
        if name not in self._values:
            raise CodesignError(f"value {name!r} is read before it is defined; define it first")
        return self._values[name]

    @property
    def maps(self) -> dict[str, Value]:
        """The maps that are defined so far, by name: inputs and results."""
        return {name: value for name, value in self._values.items() if not value.is_constant}

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
        need_name(name)
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
    if not result.type.fits_register:
        raise CodesignError(
            f"{spec.name}: the result's interval is {result.type}, {result.type.width} b; "
            f"at most {MAX_WIDTH} signed bits are allowed; narrow the operands or rescale earlier"
        )
    return result


def need_name(name: str) -> None:
    """Refuse a name that is empty or holds white space: the text form could not be read back."""
    if not name or any(c.isspace() or not c.isprintable() for c in name):
        raise CodesignError(f"{name!r} is not a name; use letters, digits, '.', '_', '-', '/'")


def need_input(name: str, value: Value) -> None:
    """Refuse a graph input without elements, or wider than a register."""
    if any(size < 1 for size in value.shape):
        raise CodesignError(f"input {name!r} has shape {value.shape}; every size must be 1 or more")
    if not value.type.fits_register:
        raise CodesignError(
            f"input {name!r} has codes {value.type}, {value.type.width} b; at most {MAX_WIDTH} "
            "signed bits are allowed; narrow them before the program"
        )


def plain_json(key: str, item: object) -> Any:
    """Metadata as a file gives it back (tuples become lists); refuses what JSON cannot hold."""
    need_name(key)
    try:
        return json.loads(json.dumps(item, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError):
        raise CodesignError(
            f"metadata {key} is {item!r}; give text, finite numbers, lists or mappings"
        ) from None
