"""ca_generator: rows of the op `ca_weights`, in the cycle in which they are due, taken or not."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray, lookup
from codesign.ops.generated import BINARY, CELLS, row_of
from codesign.rtl.ca_vectors import Case, read
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, reference, vectors

MAPPINGS = ("ternary", "balanced", "binary")
EVENTS = (
    *("a row a cycle", "a row waits", "several steps a row", "no warm-up", "a long warm-up"),
    *("a row that fills its ring", "the widest seed", "rests after the last"),
    *("goes on from a state", "begins anew in a warm-up", "begins anew at a row"),
    *("reset in a warm-up", "reset at a row"),
)
#: What only a generator of any size, with every rule, or with a second ring can meet.
ANY = ("least row", "least ring", "greatest ring", "ring between")
REPLAY = ("replays the row shown", "replays an earlier row", "replays after the last")


@dataclass
class Shape:
    """What the generator under test is built for."""

    cells: int
    columns: int
    rule: int
    any_size: bool
    replay: bool

    @classmethod
    def of(cls, dut: Any) -> Shape:
        names = ("Cells", "Columns", "Rule", "AnySize", "HasReplay")
        cells, columns, rule, size, replay = (int(getattr(dut, name).value) for name in names)
        return cls(cells, columns, rule, bool(size), bool(replay))

    def mappings(self) -> list[int]:
        """Those whose rows fit the ring."""
        return [k for k, n in CELLS.items() if self.any_size or n * self.columns <= self.cells]

    def draw(self, rng: random.Random) -> dict[str, int]:
        """Sizes, rule and mapping that it can do."""
        mapping = rng.choice(self.mappings())
        cells, row = self.cells, self.columns
        if self.any_size:
            least = max(3, CELLS[mapping])
            cells = rng.choice((least, self.cells, rng.randint(least, self.cells)))
            most = min(self.columns, cells // CELLS[mapping])
            row = rng.choice((1, most, rng.randint(1, most)))
        rule = self.rule if self.rule < 256 else rng.choice((30, 45, 90, 110, rng.getrandbits(8)))
        return {"rule": rule, "cells": cells, "row": row, "mapping": mapping}


class Bench:
    """One run after the other, each left in its own way; the model says what is shown, and when."""

    def __init__(self, dut: Any) -> None:
        self.unit, self.shape, self.rng = Unit(dut), Shape.of(dut), seeded("ca_generator")
        usable = [MAPPINGS[mapping] for mapping in self.shape.mappings()]
        self.coverage = Coverage("ca_generator", [
            *product(usable, ("one step", "steps")), *EVENTS,
            *(ANY if self.shape.any_size else ()), *(REPLAY if self.shape.replay else ()),
        ])  # fmt: skip
        self.facts: dict[str, int] = {}
        self.ring: IntArray = np.zeros(3, np.int64)
        self.left, self.running = 0, False

    @property
    def shown(self) -> bool:
        """Whether a row is shown in this cycle."""
        return self.running and self.left == 0

    def _step(self) -> None:
        self.ring = reference("ca_step", self.ring, rule=self.facts["rule"], steps=1)
        self.left -= 1

    async def cycle(self, **inputs: int) -> None:
        """One cycle: outputs as the model has them, then the model's edge."""
        unit, facts = self.unit, self.facts
        idle = {"start": 0, "load": 0, "save": 0, "replay": 0, "ready": 0, "last": 0}
        await unit.settle(**idle | inputs)
        assert unit["valid"] == int(self.shown)
        if self.running or "rest" in facts:
            cells = facts["cells"]
            assert [unit["ring"] >> i & 1 for i in range(cells)] == self.ring.tolist()
        if self.shown and not inputs.get("start"):  # which has another row's mapping
            low = -1
            found = unit.fields("row", 2, self.shape.columns)[: facts["row"]] & 3
            codes = found * 2 + low if facts["mapping"] == BINARY else found + low
            assert codes.tolist() == row_of(self.ring, facts["row"], facts["mapping"]).tolist()
        await unit.edge()
        if self.shown and inputs.get("ready"):
            if inputs.get("last"):
                self.running = False
            else:
                self.left = facts["steps"]
                self._step()
        elif self.running and self.left:
            self._step()

    async def start(self, facts: dict[str, int], seed: int, warm_up: int) -> None:
        """Begin from a seed."""
        given = {name: facts[name] for name in ("rule", "cells", "row", "mapping", "steps")}
        await self.cycle(start=1, seed=seed, warm_up=warm_up, load=self.rng.getrandbits(1), **given)
        self.facts = facts
        self.ring = np.array([seed >> i & 1 if i < 32 else 0 for i in range(facts["cells"])])
        self.left, self.running = warm_up + facts["steps"], True

    async def load(self, state: IntArray) -> None:
        """Begin from a state; cells beyond the ring hold anything."""
        cells = self.facts["cells"]
        beyond = self.rng.getrandbits(self.shape.cells) >> cells << cells
        word = sum(int(bit) << i for i, bit in enumerate(state)) | beyond
        await self.cycle(load=1, state=word, replay=self.rng.getrandbits(1))
        self.ring, self.left, self.running = state, self.facts["steps"], True

    async def random_run(self) -> None:
        """A run with its own patience, left at its end, by a new one or by reset."""
        rng, coverage = self.rng, self.coverage
        self.facts.pop("rest", None)
        facts = self.shape.draw(rng) | {"steps": rng.choice((1, 1, 2, 5))}
        warm_up = rng.choice((0, 1, rng.randint(2, 30), 130 if rng.random() < 0.2 else 3))
        seed = rng.getrandbits(min(32, facts["cells"])) or 1
        await self.start(facts, seed, warm_up)
        self._cover(warm_up, seed)
        count = rng.randint(1, 9)
        rows = reference_rows(facts, seed, warm_up, count)
        patience = rng.choice((0.0, 0.0, 0.4, 0.9))
        leave = rng.random() < 0.3
        stop = rng.randint(1, warm_up + count * facts["steps"]) if leave else 0
        taken, saved, cycles = 0, None, 0
        while taken < count:
            cycles += 1
            if cycles == stop:
                await self._leave()
                return
            if self.shown:
                row = row_of(self.ring, facts["row"], facts["mapping"])
                assert row.tolist() == rows[taken].tolist()
            ready = self.shown and rng.random() >= patience
            save = int(self.shown and self.shape.replay and rng.random() < 0.3)
            if save:
                saved = (taken, self.ring)
            last = ready and taken == count - 1
            if self.shown:
                coverage.hit("a row a cycle" if ready and facts["steps"] == 1 else "a row waits"
                             if not ready else "several steps a row")  # fmt: skip
            was = self.shown
            await self.cycle(ready=ready, last=int(last) if was else rng.getrandbits(1), save=save)
            taken += ready
            if saved and rng.random() < 0.15 and taken < count:
                coverage.hit("replays the row shown" if saved[0] == taken and self.shown else
                             "replays an earlier row")  # fmt: skip
                taken = await self._replay(saved)
        await self._rest(saved, count)

    async def _replay(self, saved: tuple[int, IntArray]) -> int:
        await self.cycle(replay=1)
        self.ring, self.left, self.running = saved[1], 0, True
        return saved[0]

    async def _rest(self, saved: tuple[int, IntArray] | None, count: int) -> None:
        """The ring rests after the last row, and can be carried on or replayed."""
        self.facts["rest"] = 1
        for _ in range(3):
            await self.cycle(ready=self.rng.getrandbits(1), last=self.rng.getrandbits(1))
        self.coverage.hit("rests after the last")
        if saved and self.rng.random() < 0.5:
            await self._replay(saved)
            self.coverage.hit("replays after the last")
            await self.cycle(ready=1)
        elif self.rng.random() < 0.7:
            await self.load(self.ring)
            self.coverage.hit("goes on from a state")
            for _ in range(2 * self.facts["steps"] + 2):
                await self.cycle(ready=1)

    async def _leave(self) -> None:
        place = "at a row" if self.shown else "in a warm-up"
        if self.rng.random() < 0.5:
            self.coverage.hit(f"reset {place}")
            await self.unit.assert_reset()
            assert self.unit["valid"] == 0
            await self.unit.reset()
            self.running = False
        else:
            self.coverage.hit(f"begins anew {place}")

    def _cover(self, warm_up: int, seed: int) -> None:
        facts, coverage = self.facts, self.coverage
        steps = "one step" if facts["steps"] == 1 else "steps"
        coverage.hit((MAPPINGS[facts["mapping"]], steps))
        if warm_up in (0, 130):
            coverage.hit("a long warm-up" if warm_up else "no warm-up")
        if self.shape.any_size:
            least = facts["cells"] == 3
            full = facts["cells"] == self.shape.cells
            coverage.hit("least ring" if least else "greatest ring" if full else "ring between")
            if facts["row"] == 1:
                coverage.hit("least row")
        if facts["row"] * CELLS[facts["mapping"]] == facts["cells"]:
            coverage.hit("a row that fills its ring")
        if seed.bit_length() == min(32, facts["cells"]):
            coverage.hit("the widest seed")


def reference_rows(facts: dict[str, int], seed: int, warm_up: int, count: int) -> IntArray:
    """What `ca_weights` gives, as the model of the network computes it."""
    return lookup("ca_weights").reference(
        shape=(count, facts["row"]), rule=facts["rule"], cells=facts["cells"], seed=seed,
        warm_up=warm_up, steps=facts["steps"], mapping=facts["mapping"],
    )  # fmt: skip


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def rows_as_they_are_due(dut: Any) -> None:
    bench = Bench(dut)
    await bench.unit.reset()
    for _ in bench.coverage.rounds(vectors(160), 3):
        await bench.random_run()
    bench.coverage.require(3)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def vectors_that_ship(dut: Any) -> None:
    """The cases of rtl_models/vectors that this generator is large enough for, row by row."""
    unit, shape = Unit(dut), Shape.of(dut)
    await unit.reset()
    done = 0
    for case in read(Path(os.environ["CA_VECTORS"])):
        if fits(case, shape):
            done += 1
            given = {"rule": case.rule, "cells": case.cells, "row": case.columns}
            given |= {"mapping": case.mapping, "steps": case.steps, "warm_up": case.warm_up}
            await unit.cycle(start=1, seed=case.seed, ready=0, last=0, **given)
            for ring, row in case.rows:
                await unit.settle(start=0, ready=1)
                while not unit["valid"]:
                    await unit.edge()
                    await unit.settle()
                assert unit["ring"] & ((1 << case.cells) - 1) == ring
                assert unit["row"] & ((1 << 2 * case.columns) - 1) == row
                await unit.edge()
    assert done >= (3 if shape.any_size else 1)


def fits(case: Case, shape: Shape) -> bool:
    """Whether the generator can make the rows of a case."""
    if not shape.any_size and (case.cells, case.columns) != (shape.cells, shape.columns):
        return False
    known = shape.rule in (case.rule, 256)
    return known and case.cells <= shape.cells and case.columns <= shape.columns
