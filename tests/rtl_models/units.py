"""A module of the datapath under test: its ports by name, and a clock that the test steps itself.

    unit = Unit(dut, "pool_unit")            # ports pool_unit_*_i and pool_unit_*_o of a wrapper
    await unit.settle(en=1, code=-3)         # the cycle's inputs, then its outputs are there:
    assert unit.signed("maximum") == -3
    await unit.edge()                        # registers take what they were given

Whatever is read has to be known: an X or Z fails the test where the simulator knows them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from cocotb.handle import ValueObjectBase
from cocotb.triggers import Timer

from codesign.hw.descriptor import FIELDS, pack_descriptor
from codesign.ir import IntArray, lookup
from codesign.rtl.codes import Form, decode, encode
from codesign.rtl.words import fields_to_words, words_to_fields
from tests.rtl_models.bench import four_state

_HALF_PERIOD = Timer(5, "ns")


class Unit:
    """Inputs that are named with _i, outputs with _o, behind the prefix of a wrapper."""

    def __init__(self, dut: Any, name: str = "") -> None:
        prefix = f"{name}_" if name else ""
        signals = [h for h in dut if isinstance(h, ValueObjectBase) and h._name.startswith(prefix)]
        ports: dict[str, Any] = {
            h._name.removeprefix(prefix): h for h in signals if h._name[-2:] in ("_i", "_o")
        }
        self.width = {port: len(h) for port, h in ports.items()}
        self._inputs = {port[:-2]: h for port, h in ports.items() if port.endswith("_i")}
        self._outputs = {port[:-2]: h for port, h in ports.items() if port.endswith("_o")}
        self._driven: dict[str, int] = {}
        self._clock, self._reset = dut.clk_i, getattr(dut, "rst_ni", None)
        self.drive(**{port: 0 for port in self._inputs if port != "clk"})

    def drive(self, **inputs: int) -> None:
        """Give inputs their values from now on; negative ones in two's complement."""
        for port, value in inputs.items():
            if self._driven.get(port) != value:
                self._driven[port] = value
                ones = (1 << self.width[f"{port}_i"]) - 1
                self._inputs[port].value = int(value) & ones

    async def settle(self, **inputs: int) -> None:
        """Inputs of a cycle; behind it the outputs of the same cycle can be read."""
        self._clock.value = 0
        self.drive(**inputs)
        await _HALF_PERIOD

    async def edge(self) -> None:
        """End of the cycle."""
        self._clock.value = 1
        await _HALF_PERIOD

    async def cycle(self, **inputs: int) -> None:
        """A cycle at whose outputs nobody looks."""
        await self.settle(**inputs)
        await self.edge()

    def __getitem__(self, port: str) -> int:
        """What an output shows."""
        return int(self._outputs[port].value)

    def signed(self, port: str) -> int:
        """An output as a two's complement number."""
        return int(self._outputs[port].value.to_signed())

    def fields(self, port: str, bits: int, count: int) -> IntArray:
        """The `count` lowest fields of an output, two's complement; the others may be unknown."""
        value = self._outputs[port].value
        whole = count * bits == self.width[f"{port}_o"]
        return split(int(value if whole else value[count * bits - 1 : 0]), bits, count)

    async def reset(self, cycles: int = 2) -> None:
        """Assert rst_ni at once, release it while the clock is low."""
        assert self._reset is not None
        self._reset.value = 0
        for _ in range(cycles):
            await self.cycle()
        self._clock.value = 0
        self._reset.value = 1
        await _HALF_PERIOD

    async def assert_reset(self) -> None:
        """Assert rst_ni between edges."""
        assert self._reset is not None
        self._reset.value = 0
        await Timer(1, "ns")


def reference(operation: str, *arguments: IntArray, **attributes: Any) -> IntArray:
    """What the op table says about one map: arguments without a batch axis, constants as they are.

    The first argument is the map.
    """
    x, *constants = arguments
    return np.asarray(lookup(operation).reference(np.asarray(x)[None], *constants, **attributes)[0])


def join(values: Sequence[int] | IntArray, bits: int) -> int:
    """Numbers side by side as fields of `bits`, the first one lowest."""
    codes = encode(np.asarray(values), Form.SIGNED, bits)
    return fields_to_words(codes, bits, codes.size)[0]


def split(word: int, bits: int, count: int) -> IntArray:
    """The `count` fields of `bits` of a word, two's complement."""
    return decode(words_to_fields([word], bits, count)[0], Form.SIGNED, bits)


def descriptor(rng: random.Random, **fields: int) -> int:
    """A descriptor's word, negative numbers in two's complement.

    The fields that are not given are those that the module does not use: they hold anything.
    """
    anything = {field.name: rng.getrandbits(field.bits) for field in FIELDS}
    given = anything | fields
    return pack_descriptor({field.name: given[field.name] & field.most for field in FIELDS})


def vectors(count: int) -> int:
    """How many vectors a test runs: the four-state simulator, which is slow, takes half of them."""
    return count // 2 if four_state() else count


def corner(rng: random.Random, low: int, high: int, *also: int) -> int:
    """A number of an interval: an end, near zero or near `also`, of any magnitude, or any."""
    kind = rng.randrange(4)
    if kind == 0:
        number = rng.choice((low, low + 1, high - 1, high))
    elif kind == 1:
        number = rng.choice((0, *also)) + rng.randint(-1, 1)
    elif kind == 2:
        number = rng.choice((-1, 1)) * rng.getrandbits(rng.randint(1, 32))
    else:
        number = rng.randint(low, high)
    return min(max(number, low), high)


def divisor(rng: random.Random, number: int) -> int:
    """A divisor, 1 as often as all others together."""
    found = [n for n in range(2, number + 1) if number % n == 0]
    return rng.choice(found) if found and rng.random() < 0.5 else 1


def signed_range(bits: int) -> tuple[int, int]:
    """Least and greatest two's complement number of `bits`."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def code_range(form: Form, bits: int) -> tuple[int, int]:
    """Least and greatest value of a code of `bits`."""
    if form is Form.BIPOLAR:
        return -1, 1
    return signed_range(bits) if form is Form.SIGNED else (0, (1 << bits) - 1)


def random_codes(rng: random.Random, form: Form, bits: int, shape: tuple[int, ...]) -> IntArray:
    """Values that codes of `bits` can hold, ends and small ones among them."""
    low, high = code_range(form, bits)
    count = int(np.prod(shape))
    if form is Form.BIPOLAR:
        return np.array([rng.choice((-1, 1)) for _ in range(count)]).reshape(shape)
    return np.array([corner(rng, low, high) for _ in range(count)]).reshape(shape)


def operands(values: IntArray, lanes: int) -> IntArray:
    """What the lanes of the array multiply: base-4 digits of each value, the top one with its sign.

    Digits of a value side by side; a value is the sum of its operands times 4^digit.
    """
    digits = np.asarray(values).reshape(-1, 1) >> 2 * np.arange(lanes)
    digits[:, :-1] &= 3
    return digits.reshape(-1)


def random_form(rng: random.Random, most_log: int) -> tuple[Form, int]:
    """A form and the logarithm of the lanes that a code takes; a bipolar code takes one."""
    form = rng.choice(list(Form))
    return form, 0 if form is Form.BIPOLAR else rng.randint(0, most_log)
