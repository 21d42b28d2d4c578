"""The streams: TLAST too early, too late and where it belongs; gaps, back-pressure, idle lanes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.hw import Hardware
from codesign.rtl.accelerator import bits
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry
from codesign.rtl.registers import register
from codesign.rtl.verilated import OKAY, SLVERR
from tests.rtl_models.faults.driver import Driver

_ALWAYS = 256  # gaps in 256 of 256 cycles


def check(hardware: Hardware, models: Path | None) -> None:
    """Both streams."""
    driver = Driver(hardware, models)
    for gaps in (0, 120):
        _ends_of_the_frame(driver, gaps)
    driver.still_right("streams that end wrongly")
    _more_than_a_frame(driver)
    _late_frame(driver)
    _discard(driver)
    driver.still_right_unreset("a stream that is dropped")
    for gaps in (0, 70, 200):
        _output(driver, gaps)
    _held_beat(driver)
    driver.still_right("an output that was held")


def _ends_of_the_frame(driver: Driver, gaps: int) -> None:
    """TLAST with each word of a frame of two maps, and with none."""
    frame, loads = driver.frame(), _loads(driver)
    mark = 3 - frame
    for last in (*range(len(frame)), -1):
        what = f"TLAST with word {last} of {len(frame)}"
        driver.machine.reset()
        at = 0
        for entry in loads:
            words = mark[at : at + entry.map.layout.words]
            driver.accelerator.load_bank(entry.map.bank, entry.map.base, words)
            at += len(words)
        driver.load([{**entry.fields, "last": int(entry is loads[-1])} for entry in loads])
        driver.machine.offer(driver.beats(frame), last=last, gaps=gaps)
        driver.start()
        taken = len(frame) if last < 0 else last + 1
        first = loads[0].map.layout.words
        error = "none" if last == len(frame) - 1 else "stream_long" if last < 0 else "stream_short"
        driver.end().need(what, error, 0 if taken <= first and error != "none" else 1)
        assert driver.machine.taken == taken, f"{what}: {driver.machine.taken} words were taken"
        good = taken if error == "none" else taken - 1
        expected = np.concatenate([frame[:good], mark[good:]])
        found = np.concatenate([
            driver.accelerator.bank_words(entry.map.bank, entry.map.base, entry.map.layout.words)
            for entry in loads
        ])  # fmt: skip
        assert np.array_equal(found, expected), f"{what}: the words in the banks are wrong"


def _more_than_a_frame(driver: Driver) -> None:
    """Words behind the frame's last stay in the stream for the next one."""
    frame = driver.frame()
    driver.machine.reset()
    driver.machine.offer(driver.beats(np.concatenate([frame, frame])), last=len(frame) - 1)
    driver.load(_program(driver))
    driver.start()
    driver.end().need("a frame with more behind it", "none", len(driver.entries) - 1)
    assert driver.machine.taken == len(frame), f"{driver.machine.taken} words were taken"


def _late_frame(driver: Driver) -> None:
    """A load that waits for its first word: it writes nothing meanwhile, and counts."""
    driver.machine.reset()
    entry = _loads(driver)[0]
    count = entry.map.layout.words
    before, words = driver.words(1), driver.words(count)
    driver.accelerator.load_bank(entry.map.bank, 4, before)
    driver.load([{**entry.fields, "target_base": 5, "last": 1, "frame_end": 1}])
    driver.start()
    driver.machine.idle(40)
    driver.machine.offer(driver.beats(words))
    driver.end().need("a frame that comes late", "none", 0)
    assert driver.accelerator.read("cycles_wait") > 30, "waiting is not counted"
    found = driver.accelerator.bank_words(entry.map.bank, 4, 1 + count)
    assert np.array_equal(found, np.concatenate([before, words])), "a late frame is wrong"


def _program(driver: Driver) -> list[dict[str, int]]:
    """The network's own program."""
    return [dict(entry.fields) for entry in driver.entries]


def _discard(driver: Driver) -> None:
    """Words up to one with TLAST are dropped; what is refused meanwhile; abort ends it."""
    driver.machine.reset()
    for gaps in (0, 150):
        assert driver.command("discard") == OKAY
        driver.machine.idle(20)
        assert driver.accelerator.status("discarding") == 1, "it does not discard"
        assert driver.accelerator.status("busy") == 0, "it is busy while it discards"
        for refused in ("start", "discard", "continue"):
            assert driver.command(refused) == SLVERR, f"{refused} is taken while it discards"
        driver.machine.offer(driver.beats(driver.words(9)), last=6, gaps=gaps)
        driver.machine.idle(200)
        assert driver.machine.taken == 7, f"{driver.machine.taken} words were dropped, not 7"
        assert driver.accelerator.status("discarding") == 0, "it discards behind TLAST"
        driver.machine.reset()
    assert driver.command("discard") == OKAY
    assert driver.command("abort") == OKAY
    end = driver.ended()
    assert driver.accelerator.status("discarding") == 0, "abort does not end discarding"
    assert end.failed == 0, "abort of discarding is an error"


def _output(driver: Driver, gaps: int) -> None:
    """Every word of two maps, idle lanes zero, TLAST with the very last; nothing changes."""
    driver.machine.reset()
    stores = [entry for entry in driver.entries if entry.operation is Operation.STORE]
    expected = []
    for number, entry in enumerate(stores):
        layout = entry.map.layout
        words = driver.words(layout.words) | 1  # no lane holds zero
        words[number::5] = 3
        driver.accelerator.load_bank(entry.map.bank, entry.map.base, words)
        lanes = words.copy().reshape(layout.pixels, -1)
        lanes[:, layout.channels * layout.lanes :] = 0
        expected.append(lanes.reshape(layout.words, -1))
    driver.load([dict(entry.fields) for entry in stores])
    driver.machine.resist(gaps)
    driver.start()
    what = f"stores with {gaps} gaps of 256"
    driver.end().need(what, "none", len(stores) - 1)
    sent, lasts = driver.machine.collect()
    assert np.array_equal(sent, driver.beats(np.concatenate(expected))), f"{what}: wrong words"
    assert list(lasts) == [0] * (len(lasts) - 1) + [1], f"{what}: TLAST is {list(lasts)}"
    assert driver.machine.broken == 0, f"{what}: {driver.machine.broken} words changed"
    counted = driver.accelerator.read("cycles_wait")
    assert (counted > 0) == (gaps > 0), f"{what}: {counted} cycles of wait"
    predicted = stores[-1].cycles.output
    output = driver.accelerator.read("cycles_output")
    assert output == predicted, f"{what}: {output} cycles of output, not {predicted}"
    driver.machine.resist(0)


def _held_beat(driver: Driver) -> None:
    """An abort while the receiver is not ready: the word that is offered stays until it goes."""
    driver.machine.reset()
    store = driver.entry(Operation.STORE)
    driver.load([dict(store.fields)])
    driver.machine.resist(_ALWAYS)
    driver.machine.collect()
    driver.start()
    driver.machine.idle(30)
    assert driver.command("abort") == OKAY
    driver.machine.idle(30)
    end = driver.ended()
    assert (end.busy, end.failed) == (1, 0), f"an abort with a word held: {end}"
    assert driver.machine.write(register("control").address, bits("control", "start")) == SLVERR
    driver.machine.resist(0)
    driver.end().need("an abort with a word held", "abort", 0)
    assert driver.machine.broken == 0, "the word that was held was taken back"
    words, _ = driver.machine.collect()
    assert len(words) == 1, f"{len(words)} words went, not the one that was held"


def _loads(driver: Driver) -> list[Entry]:
    return [entry for entry in driver.entries if entry.operation is Operation.LOAD]
