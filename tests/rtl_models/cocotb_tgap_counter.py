"""tgap_counter against the operation `tgap`: clips of all three modes, in any order of codes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray
from codesign.rtl.codes import Form, encode
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, random_codes, reference, vectors

MODES = ("clip", "frame", "causal")


@dataclass(frozen=True, slots=True)
class Clip:
    """Channels x frames x codes of a frame, as values; thresholds; what is asked for."""

    mode: str
    form: Form
    delay: int
    values: IntArray
    theta: IntArray

    def selects(self) -> IntArray:
        """Channels x frames; of a clip as a whole channels x 1."""
        frames = int(self.mode != "clip")
        found = reference("tgap", self.values, self.theta, frames=frames, delay=self.delay)
        return found.reshape(len(self.theta), -1)

    def folded(self, bits: int) -> tuple[IntArray, IntArray]:
        """Counts from the least code, and thresholds of these."""
        _, frames, pixels = self.values.shape
        count = pixels if self.mode != "clip" else frames * pixels
        stored = encode(self.values, self.form, bits)
        if self.form is Form.UNSIGNED:
            return stored, self.theta
        if self.form is Form.SIGNED:
            return stored ^ (1 << (bits - 1)), self.theta + (count << (bits - 1))
        return stored, (self.theta + count) >> 1


def _clip(rng: random.Random, channels: int, bits: int, sum_bits: int, most_delay: int) -> Clip:
    """Sums of any size if all theta are below what the counter saturates at."""
    mode = rng.choice(MODES)
    frames, pixels = rng.randint(2, 6), rng.choice((1, 1, 2, 7, 20))
    form = rng.choice([form for form in Form if form is not Form.SIGNED or bits > 1])
    delay = rng.randint(1, min(most_delay, frames - 1)) if mode == "causal" else 0
    values = random_codes(rng, form, bits, (channels, frames, pixels))
    sums = values.sum(axis=2) if mode != "clip" else values.sum(axis=(1, 2))[:, None]
    theta = np.array([
        corner(rng, -9, 99)
        if rng.random() < 0.2
        else int(rng.choice(row)) + rng.choice((-1, 0, 0, 1))
        for row in sums
    ])  # fmt: skip
    clip = Clip(mode, form, delay, values, theta)
    over = clip.folded(bits)[1] - ((1 << sum_bits) - 2)
    # a step of theta is one of the folded theta, or, of bipolar codes, two
    return Clip(mode, form, delay, values, theta - 2 * np.maximum(over, 0))


def _codes(rng: random.Random, clip: Clip) -> list[tuple[int, int, int]]:
    """Channel, frame and pixel of every code: frames in order, the channels of a frame mixed."""
    channels, frames, pixels = clip.values.shape
    order = []
    for frame in range(frames):
        here = [channel for channel in range(channels) for _ in range(pixels)]
        kind = rng.randrange(3)
        if kind == 0:
            rng.shuffle(here)
        elif kind == 1:  # pixel by pixel
            here = list(range(channels)) * pixels
        seen = [0] * channels
        for channel in here:
            order.append((channel, frame, seen[channel]))
            seen[channel] += 1
    return order


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def clips(dut: Any) -> None:
    rng = seeded("tgap_counter")
    unit = Unit(dut)
    await unit.reset()
    bits, sum_bits = unit.width["code_i"], unit.width["theta_i"] - 1
    channels = int(dut.Channels.value)
    delays = int(dut.Delays.value)
    forms = [form for form in Form if form is not Form.SIGNED or bits > 1]
    coverage = Coverage("tgap_counter", product(forms, MODES, ("above", "a tie", "below")))
    more = Coverage(
        "tgap_counter, further", ("saturates", "always", "a pause", "a reset", "one code")
    )
    for _ in coverage.rounds(vectors(80), floor=2, times=10):
        clip = _clip(rng, channels, bits, sum_bits, delays)
        expected, (codes, theta) = clip.selects(), clip.folded(bits)
        whole = clip.mode == "clip"
        frames, pixels = codes.shape[1:]
        counts = codes.sum(axis=(1, 2) if whole else 2).reshape(channels, -1)
        places = np.sign(counts - theta[:, None])
        coverage.hit(*((clip.form, clip.mode, ("a tie", "above", "below")[place])
                       for place in places.reshape(-1)))  # fmt: skip
        more.hit(*["saturates"] * int((counts >= 1 << sum_bits).any()))
        more.hit(*["always"] * int((theta < 0).any()), *["one code"] * int(pixels == 1))
        stop = rng.randrange(codes.size) if rng.random() < 0.15 else -1
        due: tuple[int, int] | None = None
        for number, (channel, frame, pixel) in enumerate(_codes(rng, clip)):
            while rng.random() < 0.15:  # nothing comes, or all but the enable
                noise = {name: rng.getrandbits(1) for name in ("first", "last", "clip_first")}
                await unit.settle(en=0, channel=rng.randrange(channels), code=0, **noise)
                _check(unit, due, expected)
                await unit.edge()
                due = None
                more.hit("a pause")
            first = pixel == 0 and (frame == 0 or not whole)
            last = pixel == pixels - 1 and (frame == frames - 1 or not whole)
            await unit.settle(
                en=1, channel=channel, code=int(codes[channel, frame, pixel]), first=first,
                last=last, clip_first=frame == 0 or whole, delay=clip.delay,
                theta=max(int(theta[channel]), -1) if last else rng.getrandbits(sum_bits),
            )  # fmt: skip
            _check(unit, due, expected)
            await unit.edge()
            due = (channel, 0 if whole else frame) if last else None
            if number == stop:
                await unit.assert_reset()
                assert unit["valid"] == 0
                await unit.reset()
                due = None
                more.hit("a reset")
                break
        await unit.settle(en=0)
        _check(unit, due, expected)
        await unit.edge()
    coverage.require(2)
    more.require()


def _check(unit: Unit, due: tuple[int, int] | None, expected: IntArray) -> None:
    """What the cycle before has ended, if anything."""
    assert unit["valid"] == (due is not None)
    if due is not None:
        assert (unit["channel"], unit["select"]) == (due[0], expected[due]), due
