"""Quantities with units: sizes in bits, frequencies, times, energies. Exact, never floats."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

#: A number, perhaps with a sign, and a unit.
_SHAPE = re.compile(r"(?P<number>[-+]?[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class Dimension:
    """A kind of quantity: its name, an example, its base unit and every unit with its factor."""

    name: str
    example: str
    base: str
    units: dict[str, Fraction]
    whole: bool = False

    def parse(self, value: object) -> Quantity:
        """`value`, text such as "1.6 Mb", as a quantity above zero.

        Raises ValueError: what was found, what is expected.
        """
        if isinstance(value, Quantity) and value.unit == self.base:
            return value
        expected = f"give a {self.name} such as '{self.example}' ({', '.join(self.units)})"
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"is {value!r}, not a {self.name}; {expected}")
        match = _SHAPE.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(f"is {value!r}, not a {self.name}; {expected}")
        if not match["unit"]:
            raise ValueError(f"is {str(value).strip()!r}, without a unit; {expected}")
        if match["unit"] not in self.units:
            raise ValueError(
                f"is {value!r}; {match['unit']!r} is not a unit of {self.name}; {expected}"
            )
        amount = Fraction(match["number"]) * self.units[match["unit"]]
        if amount <= 0:
            sign = "negative" if amount < 0 else "zero"
            raise ValueError(f"is {value!r}, {sign}; give a {self.name} above 0")
        if self.whole and amount.denominator != 1:
            raise ValueError(f"is {value!r}, not a whole number of bits; {expected}")
        return Quantity(amount, self.base, f"{match['number']} {match['unit']}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount in a base unit (b, Hz, s or J); `text` is how it was written."""

    amount: Fraction
    unit: str
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text

    def __int__(self) -> int:
        return int(self.amount)


def _scaled(base: str, prefixes: dict[str, Fraction]) -> dict[str, Fraction]:
    return {prefix + base: factor for prefix, factor in prefixes.items()}


_UP = {"": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9)}
_BINARY = {"Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30)}
_DOWN = {p: Fraction(1, 1000**n) for n, p in enumerate(("", "m", "u", "n", "p", "f"))}

SIZE = Dimension(
    "size",
    "1 Mb",
    "b",
    _scaled("b", _UP | _BINARY)
    | {unit: 8 * factor for unit, factor in _scaled("B", _UP | _BINARY).items()},
    whole=True,
)
FREQUENCY = Dimension("frequency", "100 MHz", "Hz", _scaled("Hz", _UP))
TIME = Dimension(
    "time", "20 ms", "s", _scaled("s", {p: _DOWN[p] for p in ("", "m", "u", "n", "p")})
)
ENERGY = Dimension("energy", "0.2 pJ", "J", _scaled("J", _DOWN))


def _field(dimension: Dimension) -> tuple[Any, ...]:
    units = "|".join(dimension.units)
    schema = {
        "type": "string",
        "pattern": rf"^\s*\+?[0-9]+(\.[0-9]+)?\s*({units})\s*$",
        "description": f"a {dimension.name} with its unit, such as '{dimension.example}'",
    }
    return (BeforeValidator(dimension.parse), PlainSerializer(str), WithJsonSchema(schema))


#: Field types for the configuration.
Size = Annotated[Quantity, *_field(SIZE)]
Frequency = Annotated[Quantity, *_field(FREQUENCY)]
Time = Annotated[Quantity, *_field(TIME)]
Energy = Annotated[Quantity, *_field(ENERGY)]

#: Units that a person reads a broken budget in, largest first, by base unit.
_READABLE = {
    "s": (("s", Fraction(1)), ("ms", _DOWN["m"]), ("us", _DOWN["u"]), ("ns", _DOWN["n"])),
    "J": tuple((f"{prefix}J", factor) for prefix, factor in _DOWN.items()),
}


def written(amount: Fraction, unit: str) -> str:
    """`amount` of a base unit for a message: whole bits with separators, times to 3 decimals.

    A time or energy is rounded half up.
    """
    if unit == "b":
        return f"{int(amount):,} b"
    choices = _READABLE[unit]
    name, factor = next((c for c in choices if abs(amount) >= c[1]), choices[-1])
    thousandths = int(amount / factor * 1000 + Fraction(1, 2))
    return f"{thousandths // 1000:,}.{thousandths % 1000:03d} {name}"
