"""From a value to a code: bit_shift_norm, step_unit, pool_unit, argmax_unit."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.rtl.codes import Activation
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, reference, signed_range, vectors


def _sign(value: int) -> str:
    return "negative" if value < 0 else "positive" if value else "zero"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def bit_shift_norm(dut: Any) -> None:
    rng = seeded("bit_shift_norm")
    unit = Unit(dut, "bit_shift_norm")
    bits = unit.width["value_o"]
    low, high = signed_range(bits)
    biases = signed_range(unit.width["bias_i"])
    shifts = {
        "none": (0, 0),
        "some": (1, bits - 2),
        "to the sign": (bits - 1, bits),
        "all": (63, 63),
    }
    signs = ("negative", "zero", "positive")
    coverage = Coverage("bit_shift_norm", product(signs, shifts, ("bias", "no bias")))
    coverage_ends = Coverage("sums of bit_shift_norm", ("least", "greatest", "carry into the sign"))
    for _ in range(vectors(3000)):
        with_bias, bias = rng.random() < 0.6, corner(rng, *biases)
        added = np.array([bias if with_bias else 0])
        # the sum fits, as the compiler proves
        least, most = max(low, low - int(added[0])), min(high, high - int(added[0]))
        value = corner(rng, least, most, *added, *-added, *-added)
        kind = rng.choice(list(shifts))
        shift = rng.randint(*shifts[kind])
        await unit.settle(value=value, bias=bias, bias_en=with_bias, shift=shift)
        expected = reference("bit_shift_norm", np.array([value]), added, shift=shift)
        assert unit.signed("value") == expected[0], (value, added[0], shift)
        total = value + int(added[0])
        coverage.hit((_sign(total), kind, "bias" if with_bias else "no bias"))
        if with_bias and total in (low, high):
            coverage_ends.hit("least" if total == low else "greatest")
        if with_bias and (total < 0) != (value < 0):
            coverage_ends.hit("carry into the sign")
    coverage.require(5)
    coverage_ends.require(3)


PLACES = ("below", "at the low bound", "inside", "at the high bound", "above")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def step_unit(dut: Any) -> None:
    rng = seeded("step_unit")
    unit = Unit(dut, "step_unit")
    low, high = signed_range(unit.width["value_i"])
    steps = [(name, sign) for name in ("heaviside", "sign", "none") for sign in (-1, 0, 1)]
    clips = [(name, place) for name in ("clip", "hwmsb", "plain hwmsb") for place in PLACES]
    coverage = Coverage("step_unit", [*steps, *clips])
    for _ in range(vectors(3000)):
        name = rng.choice(("none", "heaviside", "sign", "clip", "hwmsb"))
        activation = Activation["CLIP" if name == "hwmsb" else name.upper()]
        bits = rng.randint(1, 8)
        bounds = sorted((corner(rng, low, high), corner(rng, low, high)))
        if name == "hwmsb":
            bounds = [0, (1 << bits) - 1]
        value = corner(rng, low, high, *(bounds if activation is Activation.CLIP else ()))
        await unit.settle(value=value, activation=activation, low=bounds[0], high=bounds[1])
        attributes = {
            "clip": {"lo": bounds[0], "hi": bounds[1]},
            "hwmsb": {"bits": bits, "shift": 0},
        }
        expected = value
        if name != "none":
            expected = int(reference(name, np.array([value]), **attributes.get(name, {}))[0])
        assert unit.signed("code") == expected, (name, value, bounds)
        if name in attributes:
            place = "inside"
            if value <= bounds[0]:
                place = "below" if value < bounds[0] else "at the low bound"
            elif value >= bounds[1]:
                place = "above" if value > bounds[1] else "at the high bound"
            coverage.hit((name, place))
        else:
            coverage.hit((name, (value > 0) - (value < 0)))
        # without thresholds: codes that are saturated from 0 on, and none
        if name in ("none", "hwmsb"):
            await unit.settle(low=corner(rng, low, high))
            assert unit.signed("plain_code") == expected, (name, value)
            if name == "hwmsb":
                coverage.hit(("plain hwmsb", place))
    coverage.require(5)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def pool_unit(dut: Any) -> None:
    rng = seeded("pool_unit")
    unit = Unit(dut, "pool_unit")
    bits = unit.width["code_i"]
    coverage = Coverage(
        "pool_unit",
        [
            *product(("one code", "several codes"), ("one window", "several windows")),
            *product(("greatest first", "greatest last"), ("negative", "not negative")),
            "a tie",
            "a gap in a window",
            "a gap between windows",
            "the sum waits",
        ],
    )
    for _ in range(vectors(400)):
        kernel = rng.choice(((1, 1), (1, 2), (2, 2), (3, 2)))
        count = rng.choice((1, 1, 2, 5))
        # sums of a map are proved to fit
        low, high = signed_range(bits - 3)
        span = rng.choice(((low, high), (low, -1), (-2, 1), (0, 3)))
        shape = (1, kernel[0], count * kernel[1])
        codes = np.array([corner(rng, *span) for _ in range(np.prod(shape))]).reshape(shape)
        maxima = reference("max_pool", codes, kernel=kernel, stride=kernel)
        total = int(reference("sum_pool", maxima)[0])
        for number, code in enumerate(maxima.flat):
            window = codes[0, :, number * kernel[1] : (number + 1) * kernel[1]].reshape(-1)
            for place, tap in enumerate(window):
                first, last = place == 0, place == window.size - 1
                while rng.random() < 0.15:
                    junk = {port: rng.getrandbits(1) for port in ("first", "last", "sum_first")}
                    await unit.cycle(en=0, code=corner(rng, low, high), **junk)
                    coverage.hit("a gap between windows" if first else "a gap in a window")
                await unit.settle(
                    en=1,
                    code=int(tap),
                    first=first,
                    last=last,
                    sum_first=number == 0 if last else rng.getrandbits(1),
                )
                so_far = window[: place + 1].reshape(1, 1, -1)
                best = reference("max_pool", so_far, kernel=(1, place + 1), stride=(1, 1))
                assert unit.signed("maximum") == best.item()
                assert unit.signed("plain_maximum") == tap
                await unit.edge()
            if window.size > 1:
                sign = "negative" if code < 0 else "not negative"
                if (window == code).sum() > 1:
                    coverage.hit("a tie")
                elif window[0] == code:
                    coverage.hit(("greatest first", sign))
                elif window[-1] == code:
                    coverage.hit(("greatest last", sign))
        await unit.settle(en=0)
        assert unit.signed("sum") == total
        if rng.random() < 0.2:
            await unit.cycle(last=1, sum_first=1, first=1, code=1)
            await unit.settle()
            assert unit.signed("sum") == total
            coverage.hit("the sum waits")
        coverage.hit(
            (
                "one code" if np.prod(kernel) == 1 else "several codes",
                "one window" if count == 1 else "several windows",
            )
        )
    coverage.require(5)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def argmax_unit(dut: Any) -> None:
    rng = seeded("argmax_unit")
    unit = Unit(dut, "argmax_unit")
    low, high = signed_range(unit.width["score_i"])
    bins = (
        "one score",
        "a tie",
        "all negative",
        "first",
        "last",
        "a gap",
        "cut short",
        "above 255",
    )
    coverage = Coverage("argmax_unit", bins)
    lengths = [1, 2, 10, 300] + [rng.choice((1, 2, 3, 10, 40)) for _ in range(vectors(300))]
    for length in lengths:
        span = rng.choice(((low, high), (low, -1), (-2, 1), (0, 7)))
        scores = np.array([corner(rng, *span) for _ in range(length)])
        if length == 300:
            scores[:290] = np.minimum(scores[:290], high - 1)
            scores[290] = high
        # a new sequence begins wherever the one before was left
        await unit.cycle(start=1, en=rng.getrandbits(1), score=high)
        stop = length if length == 300 or rng.random() < 0.9 else rng.randint(1, length)
        for count in range(1, stop + 1):
            await unit.settle(start=0, en=1, score=int(scores[count - 1]))
            await unit.edge()
            await unit.settle(en=0, score=high)
            assert unit["index"] == reference("argmax", scores[:count])
            if rng.random() < 0.1:
                await unit.edge()
                coverage.hit("a gap")
        best = int(reference("argmax", scores[:stop]))
        if stop == 1:
            coverage.hit("one score")
        elif (scores[:stop] == scores[best]).sum() > 1:
            coverage.hit("a tie")
        elif best in (0, stop - 1):
            coverage.hit("last" if best else "first")
        if scores[:stop].max() < 0:
            coverage.hit("all negative")
        if best > 255:
            coverage.hit("above 255")
        if stop < length:
            coverage.hit("cut short")
    coverage.require()
