"""Exact numbers as a person reads them: rounding half up in integers, one unit each."""

from __future__ import annotations

from fractions import Fraction

_LARGE = ("", "k", "M", "G", "T", "P", "E")
_SMALL = ("", "m", "u", "n", "p", "f", "a")


def rounded(value: Fraction, digits: int) -> str:
    """`value` with `digits` decimals, half up."""
    scaled = (value * 10**digits * 2 + 1) // 2
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    whole, rest = divmod(scaled, 10**digits)
    return f"{sign}{whole:,}" + (f".{rest:0{digits}d}" if digits else "")


def quantity(value: Fraction | int, unit: str = "", digits: int = 1) -> str:
    """`value` with a decimal prefix: `876.6 kb`, `3.61 ms`, `1 Mb`; zeros at the end go."""
    exact = Fraction(value)
    if exact < 0:
        return "-" + quantity(-exact, unit, digits)
    power, least = 0, 1 - len(_SMALL) if unit else 0
    while power > least and 0 < exact / Fraction(1000) ** power < 1:
        power -= 1
    while power < len(_LARGE) - 1 and _reaches(exact / Fraction(1000) ** power, 1000, digits):
        power += 1
    prefix = _LARGE[power] if power >= 0 else _SMALL[-power]
    number = rounded(exact * Fraction(1000) ** -power, digits)
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {prefix}{unit}".rstrip()


def _reaches(value: Fraction, limit: int, digits: int) -> bool:
    """Whether `value` is `limit` or more once it is rounded (999.96 is written 1,000.0)."""
    return bool((value * 10**digits * 2 + 1) // 2 >= limit * 10**digits)


def grouped(value: int) -> str:
    """`1,024,064`."""
    return f"{value:,}"


def rate(value: Fraction) -> str:
    """`276` or `1.2`: a decimal only where the number is small."""
    return rounded(value, 0 if value >= 100 else 1)


def percent(part: int, whole: int) -> str:
    """`88.1 %`."""
    return f"{rounded(Fraction(100 * part, whole), 1)} %" if whole else "-"


def plural(count: int, word: str) -> str:
    """`1 image`, `3 images`."""
    return f"{grouped(count)} {word}{'' if count == 1 else 's'}"


def dimensions(shape: list[int]) -> str:
    """`64x32x32`; `scalar` for no axis."""
    return "x".join(map(str, shape)) or "scalar"
