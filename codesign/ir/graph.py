"""Values, nodes and the graph: a typed integer program in single assignment form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.ir.types import IntArray, IntType

#: Version of the program format, written into every file and hash.
FORMAT = 1

#: A node attribute: an integer or a tuple of integers.
AttrValue = int | tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """An integer tensor: its shape, its code set and, for a constant, its codes.

    A feature map's shape leaves the batch out (`(C, H, W)`; arrays at run time are `(N, C, H, W)`);
    a constant's shape is that of `data`. Weights that a node generates are a constant too: they
    are the same for every image, and known where the node is typed; but nothing stores them.
    """

    shape: tuple[int, ...]
    type: IntType
    data: IntArray | None = None

    @property
    def size(self) -> int:
        """Elements of one image's tensor (or of the constant)."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def is_constant(self) -> bool:
        """Whether the codes are part of the program."""
        return self.data is not None

    def like(self, *, shape: tuple[int, ...] | None = None, type: IntType | None = None) -> Value:  # noqa: A002
        """A feature map with this one's shape and type, but for those given."""
        return Value(self.shape if shape is None else shape, self.type if type is None else type)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        if (self.shape, self.type, self.is_constant) != (
            other.shape,
            other.type,
            other.is_constant,
        ):
            return False
        if self.data is None or other.data is None:
            return True
        return np.array_equal(self.data, other.data)

    def __hash__(self) -> int:
        return hash((self.shape, self.type, self.is_constant))

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.shape)) or 'scalar'} {self.type}"


def constant(codes: IntArray, code_type: IntType) -> Value:
    """A constant Value that owns a read-only copy of `codes` in the type's narrowest carrier.

    Raises CodesignError where `codes` is empty, not of integers, or has a code outside `code_type`.
    """
    if codes.dtype.kind not in "iu":
        raise CodesignError(f"constant has {codes.dtype} elements; give integer codes")
    if not codes.size:
        raise CodesignError(f"constant has shape {codes.shape}; every size must be 1 or more")
    if not code_type.contains(codes):
        raise CodesignError(
            f"constant has codes in [{int(codes.min())}..{int(codes.max())}], "
            f"its type is {code_type}; give the type that holds them"
        )
    data = np.array(codes, dtype=code_type.dtype, order="C")
    data.setflags(write=False)
    return Value(tuple(data.shape), code_type, data)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: `name = op(inputs; attrs)`. The node's name is its result's name."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attrs: Mapping[str, AttrValue] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, self.op, self.inputs, tuple(sorted(self.attrs.items()))))


@dataclass(frozen=True)
class Graph:
    """A whole program; made by `GraphBuilder`, never changed.

    Attributes:
        name: the model's name.
        inputs: names of the graph's inputs, in order.
        nodes: the operations, each after those it reads.
        outputs: names of the values handed out.
        values: every value by name: inputs, constants and results.
        metadata: JSON-able facts for people and tools (`classes`, `preprocessing`, ...).
    """

    name: str
    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    values: Mapping[str, Value]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def constants(self) -> dict[str, Value]:
        """The stored constants by name, in the order they were added."""
        made = {node.name for node in self.nodes}
        return {
            name: value
            for name, value in self.values.items()
            if value.is_constant and name not in made
        }

    @property
    def results(self) -> tuple[str, ...]:
        """Names of all maps that a run computes, in order; generated weights are none."""
        return tuple(node.name for node in self.nodes if not self.values[node.name].is_constant)

    def node(self, name: str) -> Node:
        """The node called `name`; CodesignError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise CodesignError(
            f"{self.name}: no node is called {name!r}; 'codesign inspect' lists the nodes"
        )

    def arguments(self, node: Node) -> tuple[Value, ...]:
        """The values that `node` reads, in order."""
        return tuple(self.values[name] for name in node.inputs)

    def consumers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read the value `name`."""
        return tuple(node for node in self.nodes if name in node.inputs)

    @cached_property
    def hash(self) -> str:
        """Content hash, `sha256:` and 64 hex digits: equal for equal programs on any machine."""
        from codesign.ir.text import content_hash

        return content_hash(self)

    def __str__(self) -> str:
        from codesign.ir.text import to_text

        return to_text(self)

    def __hash__(self) -> int:
        return hash(self.hash)
