"""sequencer against its page, told as a generator of cycles: random commands, ends and errors."""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.rtl.registers import CAUSES, ERRORS
from tests.rtl_models.bench import outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.ports import Ports

CODE = {error.name: error.code for error in ERRORS}
STATES = ("idle", "address", "read", "decode", "start", "run", "paused", "stop", "discard")
COMMANDS = ("start", "continue", "abort", "discard")
CONTROL = ("address", "read", "decode", "start")


@dataclass(frozen=True)
class Given:
    """The inputs of one cycle but the command."""

    step: int
    program: int
    last: int
    check: int
    finish: int
    fail: int
    fail_code: int
    cause: int
    beat_held: int
    discarded: int


#: Sent a command and the inputs of a cycle, yields what is shown in it.
Cycles = Generator[dict[str, int], tuple[str, Given], None]


class Reference:
    """What the sequencer shows in each cycle; `state` is where it is in the latest one."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.layer = self.code = 0
        self.state = "idle"
        self._cycles = self._idle()
        next(self._cycles)

    def cycle(self, command: str, given: Given) -> dict[str, int]:
        """The outputs of a cycle with these inputs."""
        return self._cycles.send((command, given))

    def _show(
        self, state: str, cause: int = CAUSES.index("control"), **more: int
    ) -> dict[str, int]:
        self.state = state
        return {
            "running": int(state in (*CONTROL, "run", "stop")),
            "paused": int(state == "paused"),
            "discarding": int(state == "discard"),
            "layer": self.layer,
            "error_code": self.code,
            "cause": cause,
            "fetch": int(state == "address" and self.layer < self.depth),
            "fetch_address": self.layer,
            **{name: int(state == name) for name in ("read", "decode", "start", "run")},
            **{"done": 0, "error": 0, "layer_start": 0, **more},
        }

    def _idle(self) -> Cycles:
        command, given = yield {}
        while True:
            if command == "start":
                first = given.program
                now = yield self._show("idle", layer_start=1)
                self.layer = first
                command, given = yield from self._program(*now)
            elif command == "discard":
                command, given = yield self._show("idle")
                over = False
                while not over:
                    over = bool(given.discarded) or command == "abort"
                    command, given = yield self._show("discard")
            else:
                command, given = yield self._show("idle")

    def _program(self, command: str, given: Given) -> Any:
        """From the first control cycle to the end; returns the inputs of the cycle behind it."""
        while True:
            for state in CONTROL:
                code = CODE["none"]
                if command == "abort":
                    code = CODE["abort"]
                elif state == "address" and self.layer >= self.depth:
                    code = CODE["program_end"]
                elif state == "decode":
                    code = given.check
                command, given = yield self._show(state)
                if code:
                    return (yield from self._stop(code, command, given))
            ends = ""
            while not ends:
                if command == "abort":
                    ends, code = "stop", CODE["abort"]
                elif given.fail:
                    ends, code = "stop", given.fail_code
                elif given.finish:
                    ends = "done" if given.last else "paused" if given.step else "next"
                command, given = yield self._show(
                    "run", given.cause, done=int(ends == "done"), layer_start=int(ends == "next")
                )
            if ends == "stop":
                return (yield from self._stop(code, command, given))
            if ends == "done":
                return command, given
            while ends == "paused":
                if command == "abort":
                    command, given = yield self._show("paused")
                    return (yield from self._stop(CODE["abort"], command, given))
                ends = "next" if command == "continue" else "paused"
                command, given = yield self._show("paused", layer_start=int(ends == "next"))
            self.layer = (self.layer + 1) % 2**16

    def _stop(self, code: int, command: str, given: Given) -> Any:
        self.code = code
        over = False
        while not over:
            over = not given.beat_held
            command, given = yield self._show("stop", CAUSES.index("wait"), error=int(over))
        return command, given


def draw(rng: random.Random, depth: int) -> Given:
    """Inputs of a cycle; ends of layers are frequent."""

    def often(share: float) -> int:
        return int(rng.random() < share)

    return Given(
        step=often(0.5),
        program=rng.choice((0, 0, depth - 1, depth, rng.getrandbits(16))),
        last=often(0.3),
        check=rng.randrange(1, 8) * often(0.2),
        finish=often(0.35),
        fail=often(0.1),
        fail_code=rng.choice((CODE["address"], CODE["stream_short"], CODE["stream_long"])),
        cause=rng.randrange(len(CAUSES)),
        beat_held=often(0.4),
        discarded=often(0.4),
    )


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def programs_from_start_to_end(dut: Any) -> None:
    rng = seeded("sequencer")
    depth = int(dut.ProgramDepth.value)
    reference = Reference(depth)
    coverage = Coverage(
        "sequencer",
        [
            *product(STATES, COMMANDS),
            *(("code", error.code) for error in ERRORS if error.code),
            *("done", "next", "waits for a beat", "fail and finish", "abort and finish"),
        ],
    )
    ports = Ports(dut)
    ports.rest()
    start_clock(dut)
    await reset(dut)
    cocotb.start_soon(watch_unknown(dut, outputs(dut)))
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(9_000, 2):
        share = 0.6 if reference.state in ("idle", "paused") else 0.15
        command = rng.choice(COMMANDS) if rng.random() < share else ""
        given = draw(rng, depth)
        ports.drive({name: int(name == command) for name in COMMANDS}, **asdict(given))
        expected = reference.cycle(command, given)
        await FallingEdge(dut.clk_i)
        shown = {name: ports[name] for name in expected}
        assert shown == expected, reference.state
        if command:
            coverage.hit((reference.state, command))
        if expected["error"]:
            coverage.hit(("code", expected["error_code"]))
        if reference.state == "stop" and not expected["error"]:
            coverage.hit("waits for a beat")
        if reference.state == "run":
            coverage.hit(*(["done"] if expected["done"] else []))
            coverage.hit(*(["next"] if expected["layer_start"] else []))
            coverage.hit(*(["fail and finish"] if given.fail and given.finish else []))
            coverage.hit(*(["abort and finish"] if command == "abort" and given.finish else []))
        await RisingEdge(dut.clk_i)
    coverage.require(2)
