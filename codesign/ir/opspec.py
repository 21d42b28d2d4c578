"""What an operation has to declare, and the table that everything looks it up in."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from codesign.errors import CodesignError, UnsupportedError
from codesign.ir.cost import Operations
from codesign.ir.graph import AttrValue, Value
from codesign.ir.types import IntArray


@dataclass(frozen=True, slots=True)
class Attribute:
    """A typed attribute: `kind` is "int" or "ints"; `lo` and `hi` bound each integer.

    `default` None means required.
    """

    name: str
    doc: str
    kind: str = "int"
    default: AttrValue | None = None
    lo: int | None = None
    hi: int | None = None

    def parse(self, op: str, value: object) -> AttrValue:
        """`value` as the attribute's type; CodesignError names op, attribute, value and bounds."""
        where = f"{op}: attribute {self.name}"
        given: list[Any]
        if self.kind == "int":
            given, wanted = [value], "an integer"
        else:
            given, wanted = list(value) if hasattr(value, "__iter__") else [None], "integers"
        if any(isinstance(item, bool) or not hasattr(item, "__index__") for item in given):
            raise CodesignError(f"{where} is {value!r}; give {wanted}")
        items = [operator.index(item) for item in given]
        for item in items:
            if (self.lo is not None and item < self.lo) or (self.hi is not None and item > self.hi):
                low = "-inf" if self.lo is None else self.lo
                high = "inf" if self.hi is None else self.hi
                raise CodesignError(f"{where} is {item}; give {low} to {high}")
        return items[0] if self.kind == "int" else tuple(items)


class FunctionBuilder(Protocol):
    """Writes the body of one ONNX function; `f.Add(a, b)` adds a node and gives its result's name.

    Keyword arguments become attributes of the node; `f.ref("groups")` refers to the attribute of
    the calling node, so that one body serves every use of the operation.
    """

    def __getattr__(self, onnx_op: str) -> Callable[..., str]: ...

    def ref(self, attribute: str) -> Any:
        """A reference to the calling node's attribute, to be used as an attribute."""

    def attr(self, attribute: str, dtype: str = "int64") -> str:
        """The calling node's attribute as a tensor: a scalar for "int", 1-D for "ints"."""

    def const(self, value: int | list[int], dtype: str = "int64") -> str:
        """A constant tensor: a scalar for an int, 1-D for a list."""

    def cast(self, value: str, dtype: str) -> str:
        """`value` cast to the named integer type."""

    def carry(self, value: str) -> str:
        """`value` cast to the carrier of the calling node's result."""

    def scan(
        self,
        step: Callable[..., tuple[Sequence[str], Sequence[str]]],
        states: Sequence[tuple[str, int]],
        items: Sequence[tuple[str, int]],
        axis: int = 0,
    ) -> tuple[list[str], list[str]]:
        """Repeat `step` over the slices of `items` along `axis`, carrying `states` (all int64).

        Both are (name, rank). `step(*states, *slices)` writes the body and gives its next states
        and its results; here the last states come back, and the results stacked along `axis`.
        Attributes and constants that the step reads are made before it.
        """


class OpSpec:
    """One operation: everything about it but the fast kernels and the Verilog.

    A subclass declares the class attributes and five methods. Arguments arrive by position,
    attributes by keyword; `Value` in `infer` and `cost`, int64 arrays with a leading batch axis
    (constants without) in `reference`, names of ONNX values in `onnx`.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    family: ClassVar[str]
    #: Names of the inputs; those in `constant_inputs` must be constants, the others maps.
    inputs: ClassVar[tuple[str, ...]]
    constant_inputs: ClassVar[tuple[str, ...]] = ()
    attributes: ClassVar[tuple[Attribute, ...]] = ()
    #: The hardware unit that does it, or "host"; "wiring" costs nothing in hardware.
    unit: ClassVar[str]

    #: Shape and interval rule: the result's Value. Raises CodesignError.
    infer: Callable[..., Value]
    #: The meaning, in plain NumPy integers; written for reading.
    reference: Callable[..., IntArray]
    #: The same in standard ONNX integer operators: `onnx(f, *inputs) -> name of the result`.
    onnx: Callable[..., str]
    #: Operations of one image: `cost(*arguments, **attributes)`.
    cost: Callable[..., Operations]

    #: Kinds ("ints") of the attributes of `onnx_attributes` that are not one integer.
    onnx_kinds: ClassVar[Mapping[str, str]] = {}

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        """Attributes that only the ONNX body needs, derived from the arguments and attributes."""
        return {}

    @property
    def doc(self) -> str:
        """The description, formula first."""
        return inspect.cleandoc(type(self).__doc__ or "")

    def parse_attributes(self, given: Mapping[str, object]) -> dict[str, AttrValue]:
        """Typed attributes, defaults filled in; CodesignError for an unknown or missing one."""
        known = {attribute.name: attribute for attribute in self.attributes}
        for name in given:
            if name not in known:
                expected = ", ".join(known) or "none"
                raise CodesignError(f"{self.name}: no attribute {name}; it has {expected}")
        parsed: dict[str, AttrValue] = {}
        for name, attribute in known.items():
            value = given.get(name, attribute.default)
            if value is None:
                raise CodesignError(f"{self.name}: attribute {name} is missing; give it")
            parsed[name] = attribute.parse(self.name, value)
        return parsed


_TABLE: dict[str, OpSpec] = {}
_Spec = TypeVar("_Spec", bound=OpSpec)


def register(spec: type[_Spec]) -> type[_Spec]:
    """Class decorator: put an operation into the table, under its name."""
    if spec.name in _TABLE:
        raise CodesignError(f"operation {spec.name} is declared twice; rename one")
    _TABLE[spec.name] = spec()
    return spec


def lookup(name: str) -> OpSpec:
    """The operation called `name`; UnsupportedError names the known ones."""
    if name not in table():
        known = ", ".join(sorted(_TABLE))
        raise UnsupportedError(f"operation {name!r} is not in the vocabulary; known are {known}")
    return _TABLE[name]


def table() -> Mapping[str, OpSpec]:
    """Every operation by name."""
    import codesign.ops  # noqa: F401  (its import fills the table)

    return _TABLE


def specs() -> Iterator[OpSpec]:
    """The operations, ordered by family and name."""
    yield from sorted(table().values(), key=lambda spec: (spec.family, spec.name))
