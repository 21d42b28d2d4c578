"""The machine's description, `hw_configs/*.yaml`: typed, with units.

Every key: docs/hardware/configuration.md.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.hw.quantity import Energy, Frequency, Quantity, Size, Time

#: Bits of one lane of an activation word: one HWMSB code (docs/hardware/machine.md).
LANE_BITS = 2
#: Activation banks that the machine addresses, the skip memory among them.
_MOST_BANKS = 8
#: Sets of accumulators: one is filled while the other drains.
ACCUMULATOR_SETS = 2


class KeyedError(ValueError):
    """A value that is wrong beside the others: the key to blame and what is wrong."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = tuple(key.split("."))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Lanes(_Part):
    """The multiplier array: `input` x `output` lanes, each 2 b activation x `weight` bits."""

    input: StrictInt = Field(ge=1, le=256, description="activation lanes, a power of two")
    output: StrictInt = Field(ge=1, le=256, description="output channels at once")
    weight: Size = Field(description="bits of the widest weight code")


class Accumulator(_Part):
    """The accumulators: two sets of `pixels` x output lanes registers of `width` bits."""

    pixels: StrictInt = Field(ge=2, le=4096, description="pixels of a block, even")
    width: Size = Field(description="bits of one accumulator")


class Memory(_Part):
    """One single-port memory; built as the whole words that `capacity` holds."""

    capacity: Size = Field(description="a size such as '1 Mb'")


class Activations(Memory):
    """Single-port banks that together have `capacity`: one is read while another is written."""

    banks: StrictInt = Field(ge=2, le=_MOST_BANKS, description="banks of equal size")


class Memories(_Part):
    """Every memory that is built. `skip` is one more activation bank, for maps read again later."""

    weights: Memory
    parameters: Memory
    program: Memory
    activations: Activations
    skip: Memory | None = None


class Units(_Part):
    """Units that a machine may leave out; what needs them then runs on the host."""

    threshold_unit: StrictBool = Field(default=True, description="heaviside, sign, clip")
    pool_unit: StrictBool = Field(default=True, description="max_pool, sum_pool")
    argmax: StrictBool = Field(default=True, description="argmax")


class Price(_Part):
    """Energy of one event and where the number comes from."""

    energy: Energy = Field(description="an energy such as '0.2 pJ'")
    source: StrictStr = Field(min_length=1, description="paper and table, or measurement")


class EnergyTable(_Part):
    """Energy per event; an event that is left out is reported as not modelled."""

    lane_product: Price | None = None
    weight_read: Price | None = None
    activation_read: Price | None = None
    activation_write: Price | None = None
    parameter_read: Price | None = None
    accumulate: Price | None = None
    stream_word: Price | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> EnergyTable:
        if not any(price for _, price in self):
            raise ValueError("has no entry; give at least one event or leave the table out")
        return self


class Budget(_Part):
    """Limits that a network must keep, on what it occupies; each line is optional."""

    weights: Size | None = Field(default=None, description="occupied weight memory")
    stored_weights: Size | None = Field(
        default=None, description="weight codes of the network, on the machine and on the host"
    )
    parameters: Size | None = Field(default=None, description="occupied parameter memory")
    activations: Size | None = Field(default=None, description="occupied activation and skip banks")
    on_chip: Size | None = Field(default=None, description="all memories together, occupied")
    latency: Time | None = Field(default=None, description="one frame, first word in to last out")
    energy: Energy | None = Field(default=None, description="one frame; needs the energy table")


class Hardware(_Part):
    """A machine: lanes, clock, memories, units, prices and budget.

    Frozen; every size is exact. Build one with `Hardware.load` or `Hardware.parse`, whose errors
    are one line with file, line, key and remedy.
    """

    schema_version: Literal[1] = Field(alias="schema", description="version of this format")
    name: StrictStr = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="letters, digits, '.', '_', '-'"
    )
    clock: Frequency = Field(description="a frequency such as '100 MHz'")
    lanes: Lanes
    weight_word: Size = Field(description="width of the weight memory")
    bias: Size = Field(description="bits of one stored bias, two's complement")
    accumulator: Accumulator
    memories: Memories
    units: Units = Units()
    energy: EnergyTable | None = None
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _buildable(self) -> Hardware:
        if self.lanes.input & (self.lanes.input - 1):
            raise KeyedError(
                "lanes.input", f"is {self.lanes.input}, not a power of two; codes share lanes by it"
            )
        if self.accumulator.pixels % 2:
            raise KeyedError(
                "accumulator.pixels",
                f"is {self.accumulator.pixels}, odd; two banks take turns, give an even number",
            )
        if self.memories.activations.banks == _MOST_BANKS and self.memories.skip is not None:
            raise KeyedError(
                "memories.activations.banks",
                f"is {_MOST_BANKS} beside a skip memory; the machine addresses {_MOST_BANKS} in "
                "all, build fewer banks or leave out skip",
            )
        _within(self.lanes.weight, "lanes.weight", 8)
        _within(self.bias, "bias", 32)
        _within(self.accumulator.width, "accumulator.width", 32)
        if int(self.bias) > int(self.accumulator.width):
            raise KeyedError(
                "bias",
                f"is {self.bias}, wider than an accumulator of {self.accumulator.width}; "
                "store narrower biases or build wider accumulators",
            )
        if int(self.weight_word) < int(self.lanes.weight):
            raise KeyedError(
                "weight_word",
                f"is {self.weight_word}, narrower than one weight of {self.lanes.weight}; "
                "no weight fits",
            )
        for key, memory, word in (
            ("weights", self.memories.weights, int(self.weight_word)),
            ("parameters", self.memories.parameters, self.parameter_word),
            ("program", self.memories.program, DESCRIPTOR_BITS),
            ("skip", self.memories.skip, self.activation_word),
        ):
            if memory is not None and int(memory.capacity) < word:
                raise KeyedError(
                    f"memories.{key}.capacity",
                    f"is {memory.capacity}, less than one word of {word} b; "
                    f"build at least {word} b",
                )
        if self.bank_words < 1:
            banks, word = self.memories.activations.banks, self.activation_word
            raise KeyedError(
                "memories.activations.capacity",
                f"is {self.memories.activations.capacity}, less than one word of {word} b in each "
                f"of {banks} banks; build at least {banks * word} b",
            )
        if self.budget.energy is not None and self.energy is None:
            raise KeyedError(
                "budget.energy", "has no energy table to be counted with; add one or remove it"
            )
        return self

    @property
    def activation_word(self) -> int:
        """Bits of an activation word: one lane of 2 b for each input lane."""
        return LANE_BITS * self.lanes.input

    @property
    def parameter_word(self) -> int:
        """Bits of a parameter word: the biases of one output tile."""
        return int(self.bias) * self.lanes.output

    @property
    def weight_words(self) -> int:
        """Depth of the weight memory: the whole words that its capacity holds."""
        return int(self.memories.weights.capacity) // int(self.weight_word)

    @property
    def parameter_words(self) -> int:
        """Depth of the parameter memory."""
        return int(self.memories.parameters.capacity) // self.parameter_word

    @property
    def program_words(self) -> int:
        """Depth of the program memory: descriptors."""
        return int(self.memories.program.capacity) // DESCRIPTOR_BITS

    @property
    def bank_words(self) -> int:
        """Depth of one activation bank."""
        activations = self.memories.activations
        return int(activations.capacity) // activations.banks // self.activation_word

    @property
    def skip_words(self) -> int:
        """Depth of the skip memory; 0 where none is built."""
        skip = self.memories.skip
        return 0 if skip is None else int(skip.capacity) // self.activation_word

    @property
    def accumulator_bits(self) -> int:
        """Bits of all accumulators: two sets of pixels x output lanes."""
        one_set = self.accumulator.pixels * self.lanes.output * int(self.accumulator.width)
        return ACCUMULATOR_SETS * one_set

    @classmethod
    def load(cls, path_or_name: str | Path) -> Hardware:
        """The machine of a YAML file, or the shipped one of that name (such as `asic_1mb`).

        Raises CodesignError: one line with file, line, key, what was found, expected and remedy.
        """
        from codesign.hw.source import find, read_text

        path = find(path_or_name)
        return cls.parse(read_text(path), str(path))

    @classmethod
    def parse(cls, text: str, source: str = "configuration") -> Hardware:
        """The machine that YAML `text` describes; errors begin with `source` and the line."""
        from codesign.hw.source import build

        return build(cls, text, source)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The published JSON schema of a configuration (draft 2020-12)."""
        schema = cls.model_json_schema(by_alias=True)
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _within(quantity: Quantity, key: str, most: int) -> None:
    if quantity.amount > Fraction(most):
        raise KeyedError(key, f"is {quantity}, more than {most} b; give 1 b to {most} b")
