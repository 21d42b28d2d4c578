"""Abort and reset in every cycle of a program, and what is left behind them."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import numpy as np

from codesign.hw import Hardware
from codesign.rtl.codes import Operation
from codesign.rtl.verilated import OKAY
from tests.rtl_models.faults.driver import Driver


def check(hardware: Hardware, models: Path | None) -> None:
    """Abort in every cycle, with and without a pause; reset in many."""
    driver = Driver(hardware, models)
    _every_cycle(driver)
    _while_loading(driver)
    _while_paused(driver)
    _resets(driver)


def _every_cycle(driver: Driver) -> None:
    """The layer that an abort names is the one of its cycle; its cycles are counted to there."""
    entries = [entry for entry in driver.entries if entry.operation is not Operation.LOAD]
    ends = list(accumulate(entry.cycles.total for entry in entries))
    program = [dict(entry.fields) for entry in entries]
    driver.load(program)
    met = set()
    for cycle in range(ends[-1] + 20):
        driver.start()
        driver.machine.idle(cycle)
        assert driver.command("abort") == OKAY, "abort is refused"
        end = driver.end()
        frame = driver.accelerator.frame_cycles
        if end.done:
            assert frame == ends[-1], f"{frame} cycles of the frame, not {ends[-1]}"
            continue
        # one more is counted, in which the machine stops
        layer = next(number for number, last in enumerate(ends) if frame - 1 <= last)
        end.need(f"an abort {cycle} cycles behind start", "abort", layer)
        met.add(frame)
        driver.still_right_unreset(f"an abort {cycle} cycles behind start")
        driver.load(program)
    assert len(met) >= ends[-1] - 16, f"aborts in {len(met)} different cycles only"
    driver.start()
    driver.end().need("the program behind many aborts", "none", len(entries) - 1)
    assert driver.command("abort") == OKAY, "abort is refused while nothing runs"
    driver.ended().need("an abort while nothing runs", "none", len(entries) - 1)


def _while_loading(driver: Driver) -> None:
    """An abort between the words of a frame, the rest is dropped, the next frame is right."""
    frame = driver.beats(driver.frame())
    for cycle in range(0, 60, 3):
        driver.accelerator.load("program", driver.image.program)
        driver.machine.offer(frame, gaps=160)
        driver.start()
        driver.machine.idle(cycle)
        assert driver.command("abort") == OKAY
        driver.end()
        if driver.machine.taken < len(frame):
            assert driver.command("discard") == OKAY
            driver.machine.idle(2000)
        assert driver.machine.taken == len(frame), "the rest of the frame is not dropped"
        driver.still_right_unreset(f"an abort of a load after {cycle} cycles")


def _while_paused(driver: Driver) -> None:
    driver.accelerator.load("program", driver.image.program)
    driver.machine.offer(driver.beats(driver.frame()))
    driver.start(step=True)
    driver.machine.idle(200)
    assert driver.accelerator.status("paused") == 1, "it does not pause"
    assert driver.command("abort") == OKAY
    driver.end().need("an abort of a pause", "abort", 0)
    assert driver.accelerator.status("paused") == 0, "it is still paused"
    driver.machine.reset()
    driver.still_right_unreset("an abort of a pause")


def _resets(driver: Driver) -> None:
    """A reset ends what runs; memories keep their words."""
    words = driver.words(4)
    bank = driver.entries[0].map.bank
    for cycle in range(0, 400, 23):
        driver.machine.offer(driver.beats(driver.frame()), gaps=60)
        driver.start()
        driver.machine.idle(cycle)
        driver.machine.reset()
        end = driver.ended()
        state = (end.error, end.layer, end.done, end.failed, end.busy)
        assert state == ("none", 0, 0, 0, 0), f"behind a reset: {end}"
        for name, values in driver.accelerator.outputs(driver.inputs).items():
            assert np.array_equal(values, driver.outputs[name]), f"behind a reset: {name}"
    driver.accelerator.load_bank(bank, 0, words)
    driver.machine.reset()
    kept = driver.accelerator.bank_words(bank, 0, len(words))
    assert np.array_equal(kept, words), "a reset changes a memory"
