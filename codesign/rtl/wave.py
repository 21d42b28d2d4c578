"""A waveform of the machine around the place where it goes wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path

from codesign.ir import IntArray
from codesign.rtl.accelerator import Accelerator, MachineError, bits
from codesign.rtl.codes import Operation
from codesign.rtl.image import Image

#: Cycles that a waveform shows before and after the one that matters.
BEFORE, AFTER = 256, 64
#: Cycles of a layer that are shown where no cycle matters more than another.
MOST = 20_000


def record(
    image: Image,
    frame: Mapping[str, IntArray],
    layer: str,
    path: Path,
    *,
    element: tuple[int, ...] | None = None,
    models: Path | None = None,
) -> str:
    """Run `frame` again and write what happens in `layer` to `path` (FST); one line about it.

    With `element`, a place in the layer's map, the cycle is found in which its code is written,
    and the waveform is of the cycles around it. Where the layer stops with an error, of the cycles
    before that. Else it begins with the layer and is at most `MOST` cycles long.
    """
    names = [entry.name for entry in image.entries]
    number = names.index(layer) if layer in names else 0
    with closing(Accelerator(image, models=models)) as machine:
        first = _found(machine, frame, number, element)
    skipped, shown = 0, min(MOST, image.entries[number].cycles.total + AFTER)
    if first is not None:
        skipped = max(0, first - BEFORE)
        shown = first + AFTER - skipped
    with closing(Accelerator(image, models=models, waves=True)) as machine:
        _reach(machine, frame, number)
        machine.machine.idle(skipped)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        machine.machine.wave(part)
        machine.machine.idle(shown)
        machine.machine.end_wave()
        part.replace(path)
    return f"cycles {skipped:,} to {skipped + shown:,} of {layer}"


def _reach(machine: Accelerator, frame: Mapping[str, IntArray], number: int) -> None:
    """Run up to layer `number` and let it begin."""
    if number == 0:
        machine.begin(frame)
        return
    for _ in islice(machine.steps(frame, keep=()), number):
        pass
    machine.go_on()


def _found(
    machine: Accelerator,
    frame: Mapping[str, IntArray],
    number: int,
    element: tuple[int, ...] | None,
) -> int | None:
    """The cycle of the layer that matters most, if one does."""
    entry = machine.image.entries[number]
    _reach(machine, frame, number)
    start = machine.machine.cycles
    try:
        machine.finish(entry)
    except MachineError as error:
        return None if error.error == "timeout" else machine.machine.cycles - start
    if element is None or entry.operation in (Operation.LOAD, Operation.STORE):
        return None  # a stream cannot be given twice
    return _written(machine, number, element)


def _written(machine: Accelerator, number: int, element: tuple[int, ...]) -> int | None:
    """The cycle in which the element's code is written; None where it never is.

    The layer has just been run. Its code is spoilt, and the layer alone is run again and aborted
    after more or fewer cycles, until the first is known after which the code is back.
    """
    entry = machine.image.entries[number]
    place, layout = entry.map, entry.map.layout
    flat = 0
    for size, index in zip(place.shape, element, strict=True):
        flat = flat * size + index
    channel, pixel = divmod(flat, layout.pixels)
    mine = slice(channel * layout.lanes, (channel + 1) * layout.lanes)
    count = layout.words_per_pixel
    first = place.base + pixel * count
    machine.write("control", bits("control", "abort"))  # from the pause behind it
    machine.write("program", number)
    codes = machine.bank_words(place.bank, first, count)
    spoilt = codes.copy()
    spoilt.reshape(-1)[mine] ^= 3

    def back(cycles: int) -> bool:
        machine.load_bank(place.bank, first, spoilt)
        machine.write("control", bits("control", "start"))
        machine.machine.idle(cycles)
        machine.write("control", bits("control", "abort"))
        machine.machine.idle(4)
        found = machine.bank_words(place.bank, first, count)
        return bool((found.reshape(-1)[mine] == codes.reshape(-1)[mine]).all())

    low, high = 0, entry.cycles.total + AFTER
    if not back(high):
        return None
    while high - low > 1:  # not back after `low`, back after `high`
        middle = (low + high) // 2
        low, high = (low, middle) if back(middle) else (middle, high)
    return high
