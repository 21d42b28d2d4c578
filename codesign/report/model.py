"""The report: one typed record that the terminal, JSON and JUnit renderings are made of.

Counts are integers, anything that divides is an exact `Ratio`. Sizes are bits, times are clock
cycles or seconds, everything is per frame. `Report.json_schema()` is the published schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from codesign.report.canonical import Many, pieces
from codesign.report.rows import InputResult, Record, Rows, records

#: Version of the report's form; the value of the key `schema`.
SCHEMA: Literal[1] = 1


class Ratio(Record):
    """An exact ratio in lowest terms."""

    numerator: int
    denominator: int = Field(ge=1)

    @classmethod
    def of(cls, value: Fraction | int) -> Ratio:
        """The ratio equal to `value`."""
        exact = Fraction(value)
        return cls(numerator=exact.numerator, denominator=exact.denominator)

    @property
    def value(self) -> Fraction:
        """The same number, to calculate with."""
        return Fraction(self.numerator, self.denominator)


class Tensor(Record):
    """An input or output: `shape` has no batch axis; its codes are lo, lo + step, ..., hi."""

    name: str
    shape: list[int]
    lo: int
    hi: int
    step: int = Field(ge=1)


class Layer(Record):
    """One step of the machine's program, or one operation on the host.

    `nodes` are the program's operations done in this step; `reason` says why it is on the host.
    """

    name: str
    kind: str
    unit: str
    reason: str
    nodes: list[str]
    output_shape: list[int]
    accumulator_width: int | None = Field(description="proved width in bits; null: no accumulator")


class Model(Record):
    """The network: its name, its program's content hash, inputs, outputs, classes and layers."""

    name: str
    hash: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    classes: list[str] = Field(description="names of the classes; empty where it names none")
    layers: list[Layer]


class Hardware(Record):
    """The machine: its name, clock in hertz and lanes."""

    name: str
    clock: Ratio = Field(description="hertz")
    input_lanes: int
    output_lanes: int


class LayerMemory(Record):
    """Bits that one layer, or all, keeps."""

    layer: str
    stored_weight_bits: dict[int, int] = Field(description="by bits of one code")
    generated_bits: int
    parameter_bits: int = Field(description="biases, thresholds, shifts, the layer's descriptor")


class MemoryUse(Record):
    """One built memory: bits used beside bits built, and the layer where it is fullest."""

    name: str
    used_bits: int
    built_bits: int
    fits: bool
    peak_at: str
    message: str


class Placement(Record):
    """Where a map lives, and from which to which layer (indices into `model.layers`)."""

    value: str
    memory: str
    bank: int
    first_word: int
    words: int
    from_layer: int
    to_layer: int


class Memory(Record):
    """Memory of the network and of the machine."""

    layers: list[LayerMemory]
    total: LayerMemory
    peak_activation_bits: int
    peak_at: str
    memories: list[MemoryUse]
    placements: list[Placement]

    @property
    def fits(self) -> bool:
        """Whether every built memory holds its contents."""
        return all(memory.fits for memory in self.memories)


class OperationCount(Record):
    """How many operations of one kind; `bits` wide, by `by` bits where two operands differ."""

    kind: str
    bits: int
    by: int
    count: int


class LayerOperations(Record):
    """Operations of one layer, or of all."""

    layer: str
    counts: list[OperationCount]


class EnergyRow(Record):
    """Energy of one kind of event: `count` events of `each` joules; `source` of that number."""

    event: str
    count: int
    each: Ratio
    total: Ratio
    source: str


class Operations(Record):
    """Operations by kind and width; energy where the configuration prices events, else null."""

    layers: list[LayerOperations]
    total: LayerOperations
    energy: list[EnergyRow] | None


class LayerCycles(Record):
    """Clock cycles of one layer, or of all, by cause; each cycle has exactly one."""

    layer: str
    causes: dict[str, int]
    total: int
    macs: int
    utilization: Ratio | None = Field(description="macs / (lanes x cycles); null: no products")


class Cycles(Record):
    """Cycles of a frame and what follows from them at the configured clock."""

    layers: list[LayerCycles]
    total: LayerCycles
    seconds: Ratio = Field(description="of one frame")
    frames_per_second: Ratio


class BudgetLine(Record):
    """One line of the budget: `used` and `limit` in `unit` (b, s or J)."""

    name: str
    used: Ratio
    limit: Ratio
    unit: str
    ok: bool
    message: str


class Accuracy(Record):
    """Inputs whose class is the expected one."""

    correct: int
    total: int


def _kept(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Columns are valid as they are: they are made by the decoder alone."""
    return value if isinstance(value, Rows) else handler(value)


def _listed(rows: Sequence[InputResult]) -> list[InputResult]:
    return [*rows]


class Results(Record):
    """What the engine computed, input by input.

    `level` are the kinds of instructions that a compiled engine multiplied with on this machine,
    the fastest first; the results do not depend on it. Empty where there is no choice, or workers
    of a cluster chose.
    """

    engine: str
    level: str = ""
    accuracy: Accuracy | None
    inputs: Annotated[Sequence[InputResult], WrapValidator(_kept), PlainSerializer(_listed)]


class Report(Record):
    """Everything a simulation tells: costs always, `results` where inputs were given."""

    schema_version: Literal[1] = Field(
        default=SCHEMA,
        validation_alias=AliasChoices("schema", "schema_version"),
        serialization_alias="schema",
    )
    model: Model
    hardware: Hardware
    memory: Memory
    operations: Operations
    cycles: Cycles
    budget: list[BudgetLine]
    results: Results | None
    not_modelled: list[str]

    @property
    def problems(self) -> list[str]:
        """One line for each memory that is too small and each budget line that is broken."""
        memories = [memory.message for memory in self.memory.memories if not memory.fits]
        return memories + [line.message for line in self.budget if not line.ok]

    @property
    def fits(self) -> bool:
        """Whether every memory holds its contents and every budget line is kept."""
        return not self.problems

    def to_json(self) -> str:
        """Canonical JSON text: equal reports give equal bytes."""
        return "".join(self.json_pieces())

    def json_pieces(self) -> Iterator[str]:
        """The text of `to_json`, a piece at a time, so that it is never in memory at once."""
        facts = self.model_dump(mode="json", by_alias=True, exclude={"results": {"inputs"}})
        if self.results is not None:
            rows = self.results.inputs
            facts["results"]["inputs"] = Many(records(rows)) if rows else []
        return pieces(facts)

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """The report that `to_json` wrote; pydantic.ValidationError where it is none."""
        return cls.model_validate_json(text)

    def to_text(self, width: int = 100) -> str:
        """The terminal rendering without colour, at most `width` columns (design: 100)."""
        from codesign.report.terminal import to_text

        return to_text(self, width)

    def __str__(self) -> str:
        return self.to_text()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema (draft 2020-12) that every JSON report satisfies."""
        schema = cls.model_json_schema(by_alias=True, mode="serialization")
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
