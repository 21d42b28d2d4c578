"""Descriptors that the machine refuses, each with its error, and accesses beyond a memory's end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.hw import Hardware
from codesign.rtl.codes import Activation, Form, Operation, Reduce
from tests.rtl_models.faults.driver import PLAIN, Driver, Fields, words_read

LOAD, STORE, PRODUCT = Operation.LOAD, Operation.STORE, Operation.PRODUCT
VECTOR, REORDER = Operation.VECTOR, Operation.REORDER
_MOVES = (PRODUCT, VECTOR, REORDER)
_PASSES = (PRODUCT, VECTOR)

#: Operations, what is changed in a descriptor that runs, the error.
ILLEGAL: tuple[tuple[tuple[Operation, ...], Fields, str], ...] = (
    ((LOAD,), {"operation": 0}, "operation"),
    ((LOAD, VECTOR), {"operation": 6}, "operation"),
    ((PRODUCT,), {"operation": 7, "source_bank": 15, "input_width": 0}, "operation"),
    ((LOAD, *_MOVES), {"target_bank": 15}, "bank"),
    ((STORE, *_MOVES), {"source_bank": 14}, "bank"),
    ((STORE, *_MOVES), {"source_bank": 15, "input_width": 0, "input_form": 3}, "bank"),
    ((LOAD, STORE, *_MOVES), {"input_channels": 0}, "size"),
    ((LOAD, STORE, *_MOVES), {"input_height": 0}, "size"),
    ((LOAD, STORE, *_MOVES), {"input_width": 0, "input_form": 3}, "size"),
    (_MOVES, {"output_channels": 0}, "size"),
    (_MOVES, {"output_height": 0}, "size"),
    (_MOVES, {"output_width": 0}, "size"),
    (_PASSES, {"pool_rows": 0}, "size"),
    (_PASSES, {"pool_columns": 0}, "size"),
    (_PASSES, {"pool_stride_rows": 0}, "size"),
    (_PASSES, {"pool_stride_columns": 0}, "size"),
    (_PASSES, {"shuffle": 0}, "size"),
    (_PASSES, {"shuffle_channels": 0}, "size"),
    ((PRODUCT,), {"group_inputs": 0}, "size"),
    ((PRODUCT,), {"group_outputs": 0}, "size"),
    ((PRODUCT,), {"group_inputs": 4}, "size"),
    ((PRODUCT,), {"group_outputs": 7}, "size"),
    ((PRODUCT,), {"kernel_rows": 0}, "size"),
    ((PRODUCT,), {"kernel_columns": 0}, "size"),
    ((PRODUCT,), {"stride_rows": 0}, "size"),
    ((PRODUCT,), {"stride_columns": 0}, "size"),
    ((PRODUCT,), {"pool_stride_rows": 2}, "size"),
    ((PRODUCT,), {"pool_stride_columns": 2}, "size"),
    ((VECTOR,), {"output_channels": 9}, "size"),
    ((VECTOR,), {"pool_rows": 10}, "size"),
    ((VECTOR,), {"pool_columns": 10}, "size"),
    (_PASSES, {"reduce": 2, "output_height": 2, "output_width": 1}, "size"),
    (_PASSES, {"reduce": 2, "output_height": 1, "output_width": 2}, "size"),
    ((PRODUCT,), {"weight_bits": 0}, "weights"),
    ((PRODUCT,), {"weight_bits": 15}, "weights"),
    ((PRODUCT,), {"weight_step": 0}, "weights"),
    ((PRODUCT,), {"weight_step": 3}, "weights"),
    ((LOAD, STORE, *_MOVES), {"input_lanes": 6}, "form"),
    ((LOAD, STORE, *_MOVES), {"input_form": 3}, "form"),
    (_PASSES, {"output_lanes": 6}, "form"),
    (_MOVES, {"output_form": 3}, "form"),
    ((PRODUCT,), {"input_lanes": 3}, "form"),
    (_PASSES, {"input_form": Form.BIPOLAR, "input_lanes": 1}, "form"),
    ((REORDER,), {"output_lanes": 1}, "form"),
    ((PRODUCT,), {"block_rows": 0}, "block"),
    ((PRODUCT,), {"block_columns": 0}, "block"),
    ((PRODUCT,), {"pool_rows": 3, "pool_stride_rows": 3, "block_rows": 2}, "block"),
    ((PRODUCT,), {"pool_columns": 4, "pool_stride_columns": 4, "block_columns": 3}, "block"),
    (_PASSES, {"reduce": 3}, "unit"),
)  # fmt: skip

#: What a machine without units refuses besides, of a product.
_UNITS: tuple[tuple[Fields, str], ...] = (
    ({"activation": Activation.HEAVISIDE}, "unit"),
    ({"activation": Activation.SIGN}, "unit"),
    ({"activation": Activation.CLIP, "clip_low": 1}, "unit"),
    ({"activation": Activation.CLIP, "clip_low": 0xFFFF_FFFF}, "unit"),
    ({"activation": Activation.NONE}, "none"),
    ({"pool": 1}, "unit"),
    ({"pool_rows": 2, "pool_stride_rows": 2}, "unit"),
    ({"pool_columns": 2, "pool_stride_columns": 2}, "unit"),
    ({"reduce": Reduce.SUM}, "unit"),
    ({"reduce": Reduce.INDEX, "output_height": 1, "output_width": 1}, "unit"),
)


def check(hardware: Hardware, models: Path | None) -> None:
    """All operations."""
    driver = Driver(hardware, models)
    for operations, change, error in (*ILLEGAL, *_limits(hardware)):
        for operation in operations:
            _refused(driver, operation, change, error)
    _same_bank(driver)
    driver.still_right_unreset("descriptors that are refused")
    for operation, side in [
        (LOAD, "target"), (STORE, "source"),
        *((move, side) for move in _MOVES for side in ("source", "target")),
    ]:  # fmt: skip
        _ends(driver, operation, side)
    driver.still_right_unreset("maps beyond a bank")
    _constants(driver)
    _program(driver)
    driver.still_right_unreset("errors of all kinds")


def check_units(hardware: Hardware, models: Path | None) -> None:
    """What a machine built without units refuses."""
    driver = Driver(hardware, models, PLAIN)
    for change, error in _UNITS:
        _refused(driver, PRODUCT, change, error)
    driver.still_right_unreset("units that are not built")


def _limits(hardware: Hardware) -> list[tuple[tuple[Operation, ...], Fields, str]]:
    """The first value that is too large, for this machine."""
    banks = hardware.memories.activations.banks + bool(hardware.skip_words)
    pixels, weight = hardware.accumulator.pixels, int(hardware.lanes.weight)
    found: list[tuple[tuple[Operation, ...], Fields, str]] = [
        ((LOAD, *_MOVES), {"target_bank": banks}, "bank"),
        ((STORE, *_MOVES), {"source_bank": banks}, "bank"),
        ((PRODUCT,), {"block_rows": 1, "block_columns": pixels + 1}, "block"),
        ((PRODUCT,), {"block_rows": 1, "block_columns": pixels}, "none"),
        ((PRODUCT,), {"weight_bits": weight + 1}, "weights"),
        ((PRODUCT,), {"weight_bits": weight}, "none"),
    ]
    if hardware.lanes.input < 4:
        found.append(((PRODUCT,), {"input_lanes": 2}, "form"))
    return found


def _refused(driver: Driver, operation: Operation, change: Fields, error: str) -> None:
    fields = {**driver.entry(operation).fields, **change, "last": 1}
    what = f"{operation.name.lower()} with {', '.join(f'{k} {v}' for k, v in change.items())}"
    driver.run([fields], first=3).need(what, error, 3)


def _same_bank(driver: Driver) -> None:
    for operation in _MOVES:
        bank = driver.entry(operation).fields["target_bank"]
        _refused(driver, operation, {"source_bank": bank}, "bank")


def _ends(driver: Driver, operation: Operation, side: str) -> None:
    """A map whose last word is the memory's last, then one that is one word further."""
    entry, lanes = driver.entry(operation), driver.hardware.lanes.input
    read = words_read(entry.fields, lanes)
    count = read if side == "source" or operation is LOAD else entry.map.layout.words
    results = []
    bank = entry.fields[f"{side}_bank"]
    last_base = driver.bank_depth(bank) - count
    given, marked = driver.words(read), driver.words(4)
    for base in (entry.fields[f"{side}_base"], last_base, last_base + 1):
        fields = {**entry.fields, f"{side}_base": base, "last": 1, "frame_end": 1}
        what = f"{operation.name.lower()} with its {side} at {base} of {driver.bank_depth(bank)}"
        beyond = base > last_base
        if operation is not LOAD:
            depth = driver.bank_depth(fields["source_bank"])
            room = given[: depth - fields["source_base"]]
            driver.accelerator.load_bank(fields["source_bank"], fields["source_base"], room)
        if side == "target" and beyond:
            driver.accelerator.load_bank(bank, 0, marked)
        driver.machine.reset()
        if operation is LOAD:
            driver.machine.offer(driver.beats(given))
        driver.load([fields])
        driver.start()
        driver.end().need(what, "address" if beyond else "none", 0)
        if operation is STORE:
            sent = driver.machine.collect()[0]
            assert len(sent) == count - beyond, f"{what}: {len(sent)} words came out"
            results.append(sent)
        elif not beyond:
            target = fields["target_bank"], fields["target_base"]
            written = driver.accelerator.bank_words(*target, entry.map.layout.words)
            results.append(_used(written, entry.map.layout.pixels, fields))
        elif side == "target":
            kept = driver.accelerator.bank_words(bank, 0, len(marked))
            assert np.array_equal(kept, marked), f"{what}: words at the bank's start changed"
    assert np.array_equal(results[0], results[1]), f"{what}: the bank's last words are wrong"


def _used(words: np.ndarray, pixels: int, fields: Fields) -> np.ndarray:
    """The lanes of a map that hold codes."""
    return words.reshape(pixels, -1)[:, : fields["output_channels"] << fields["output_lanes"]]


def _constants(driver: Driver) -> None:
    """Weights and biases at the end of their memory, and one word further."""
    entry = driver.entry(PRODUCT)
    image, hardware = driver.image, driver.hardware
    memories = (
        ("weights", "weight_base", image.weights, hardware.weight_words),
        ("parameters", "bias_base", image.parameters, hardware.parameter_words),
    )
    read = driver.words(words_read(entry.fields, hardware.lanes.input))
    for memory, field, words, depth in memories:
        mine = words if memory == "weights" else words[: _tiles(driver, entry.fields)]
        results = []
        for base in (entry.fields[field], depth - len(mine), depth - len(mine) + 1):
            beyond = base + len(mine) > depth
            fields = {**entry.fields, field: base, "last": 1}
            driver.accelerator.load(memory, mine[: depth - base], base)
            driver.accelerator.load_bank(fields["source_bank"], fields["source_base"], read)
            what = f"{memory} at {base} of {depth}"
            driver.run([fields]).need(what, "address" if beyond else "none", 0)
            if not beyond:
                place = entry.map
                written = driver.accelerator.bank_words(place.bank, place.base, place.layout.words)
                results.append(_used(written, place.layout.pixels, fields))
        assert np.array_equal(results[0], results[1]), f"{memory} at the end are wrong"
        driver.accelerator.load(memory, words)


def _tiles(driver: Driver, fields: Fields) -> int:
    return -(-fields["output_channels"] // driver.hardware.lanes.output)


def _program(driver: Driver) -> None:
    """The program's last word ends well, with `last`; without it the machine runs beyond."""
    depth = driver.hardware.program_words
    vector = {**driver.entry(VECTOR).fields, "last": 0}
    driver.run([{**vector, "last": 1}], depth - 1).need("the last word", "none", depth - 1)
    driver.run([vector], depth - 1).need("a program without an end", "program_end", depth)
    driver.run([vector, vector], depth - 2).need("two without an end", "program_end", depth)
    for first in (depth, depth + 1, 0xFFFF):
        driver.start(first)
        driver.end().need(f"a program at {first}", "program_end", first)
