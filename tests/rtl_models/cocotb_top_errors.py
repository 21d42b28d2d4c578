"""Every error on the whole machine: it stops, tells which and where, and runs a good frame."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from typing import Any

import cocotb

from codesign.hw.descriptor import DESCRIPTOR_BITS, pack_descriptor
from codesign.hw.layout import Layout
from codesign.ir import Graph
from codesign.rtl import Image
from codesign.rtl.codes import Operation, Reduce
from codesign.rtl.registers import ERRORS, MEMORIES
from tests.rtl_models import layers
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes
from tests.rtl_models.legality import REASONS, corrupt, error_of, legalize, reasons
from tests.rtl_models.top_bench import Bench, Status
from tests.rtl_models.top_frame import Frame
from tests.rtl_models.top_machines import built
from tests.rtl_models.top_memories import Memories
from tests.rtl_models.top_networks import bins, draw, networks

CORRUPTIONS = int(os.environ.get("CORRUPTIONS", "200"))
ENOUGH = CORRUPTIONS >= 100  # for the whole coverage
PROGRAM = MEMORIES["program"]
BASES = ("source_base", "target_base", "weight_base", "bias_base")
#: A program that runs too long is aborted.
PATIENCE = 3000


async def write(bench: Bench, fields: Mapping[str, int], address: int) -> None:
    """A descriptor into the program memory."""
    await bench.write_words(PROGRAM, [pack_descriptor(fields)], DESCRIPTOR_BITS, address)


async def clean(bench: Bench) -> None:
    """Nothing of a frame that has failed is left in the streams."""
    await bench.discard()
    bench.part()


def whole(rng: random.Random, bench: Bench) -> tuple[Graph, Image]:
    """A network with biases that is read by a product, two inputs and more."""
    while True:
        drawn = draw(rng, bench.hardware)
        if drawn is None:
            continue
        kinds = {entry.operation for entry in drawn[1].entries}
        operations = {Operation.PRODUCT, Operation.VECTOR}
        biased = any(e.fields["bias"] for e in drawn[1].entries if e.fields["operation"] == 3)
        if operations <= kinds and biased and len(drawn[1].inputs) > 1:
            return drawn


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_reason_to_refuse_a_descriptor(dut: Any) -> None:
    """Each reason of the register page: the error's code and place, nothing read or written."""
    rng = seeded("reasons")
    bench = await Bench.begin(dut, rng)
    graph, image = next(networks(rng, bench.hardware, Coverage("", bins(bench.hardware)), 1, 1))
    await bench.load(image)
    machine, memories = built(bench.hardware), Memories(dut, bench.hardware)
    lanes = Lanes(bench.lanes, bench.hardware.lanes.output, bench.hardware.accumulator.pixels)
    never = {"threshold unit", "pool unit", "argmax"}  # all units are built
    coverage = Coverage("reasons", [reason for reason in REASONS if reason not in never])
    address = bench.hardware.program_words - 1
    assert address >= len(image.program)
    for _ in range(30_000):
        layer = rng.choice((layers.product, layers.product, layers.vector, layers.reorder))(
            rng, lanes
        )
        wrong = corrupt(rng, legalize(rng, layer.fields, machine))
        found = reasons(wrong, machine)
        new = found & coverage.missing
        if not new or len({REASONS[reason] for reason in found}) > 1:
            continue
        await write(bench, wrong, address)
        before = memories.all()
        await bench.start(first=address)
        status = await bench.ends()
        assert (status.outcome, status.layer) == (error_of(wrong, machine), address), found
        assert memories.all() == before
        assert (await bench.cycles())["control"] == 3, "address, read, decode"
        coverage.hit(*new)
        if not coverage.missing:
            break
    coverage.require(1)
    await bench.good(Frame.of(graph, image, rng))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def addresses_beyond_each_memory(dut: Any) -> None:
    """A layer that leaves a memory stops; words before its map, and other memories, stay."""
    rng = seeded("addresses")
    bench = await Bench.begin(dut, rng)
    memories = Memories(dut, bench.hardware)
    memories.fill(rng)
    accesses = {
        "source_base": (Operation.STORE, Operation.PRODUCT, Operation.VECTOR, Operation.REORDER),
        "target_base": (Operation.LOAD, Operation.PRODUCT, Operation.VECTOR, Operation.REORDER),
        "weight_base": (Operation.PRODUCT,),
        "bias_base": (Operation.PRODUCT, Operation.VECTOR),
    }
    pairs = [(name, operation) for name, kinds in accesses.items() for operation in kinds]
    coverage = Coverage("addresses", pairs)
    while coverage.missing:
        drawn = draw(rng, bench.hardware)
        if drawn is None:
            continue
        graph, image = drawn
        frame, loaded = Frame.of(graph, image, rng), False
        for number, entry in enumerate(image.entries):
            for name in accesses:
                pair = (name, entry.operation)
                unused = name == "bias_base" and not entry.fields["bias"]
                if coverage.counts.get(pair, 1) or unused:
                    continue
                if not loaded:
                    await bench.load(image)
                    loaded = True
                depth = depth_of(bench, name, entry.fields)
                words = words_of(image, number, name)
                base = depth - rng.choice((0, 1, words - 1)) if words > 1 else depth
                fields = {**entry.fields, name: min(base, 2**24 - 1)}
                await write(bench, fields, number)
                before = memories.all()
                bench.send(frame.sent)
                await bench.start()
                status = await bench.ends()
                assert (status.outcome, status.layer) == ("address", number), pair
                after = memories.all()
                targets = {e.fields["target_bank"] for e in image.entries[: number + 1]}
                kept = [n for n in before if n not in {f"bank {bank}" for bank in targets}]
                assert all(before[name_] == after[name_] for name_ in kept)
                if pair == ("source_base", Operation.STORE):
                    before_it = image.entries[:number]
                    stores = [e for e in before_it if e.operation is Operation.STORE]
                    whole_ = sum(e.map.layout.words for e in stores)
                    assert len(bench.beats) == whole_ + depth - fields[name]
                await clean(bench)
                await write(bench, entry.fields, number)
                await bench.good(frame)
                coverage.hit(pair)
    coverage.require(1)


def depth_of(bench: Bench, name: str, fields: Mapping[str, int]) -> int:
    """Words of the memory that a field is an address of."""
    hardware = bench.hardware
    if name in ("weight_base", "bias_base"):
        return hardware.weight_words if name == "weight_base" else hardware.parameter_words
    bank = fields[name.replace("base", "bank")]
    return (
        hardware.bank_words if bank < hardware.memories.activations.banks else hardware.skip_words
    )


def words_of(image: Image, number: int, name: str) -> int:
    """Words that a layer surely reads or writes from a base on."""
    fields = image.entries[number].fields
    if name == "target_base":
        return image.entries[number].map.layout.words
    if name == "source_base":
        whole_ = fields["operation"] in (Operation.STORE, Operation.REORDER)
        channels, height, width = (fields[f"input_{n}"] for n in ("channels", "height", "width"))
        lanes = 1 << fields["input_lanes"]
        layout = Layout(channels, height, width, lanes, image.hardware.lanes.input)
        return layout.words if whole_ else 1
    return 1


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def frames_that_are_too_short_or_too_long(dut: Any) -> None:
    rng = seeded("streams")
    bench = await Bench.begin(dut, rng)
    kinds = ("short in the first map", "short by a map", "short in the last map", "one word short")
    coverage = Coverage("streams", [*kinds, "one word long", "long", "with gaps"])
    for _ in range(3):
        graph, image = whole(rng, bench)
        await bench.load(image)
        frame = Frame.of(graph, image, rng)
        first, second = (place.layout.words for place in image.inputs)
        for kind in coverage.counts:
            count = {
                "short in the first map": rng.randint(1, max(1, first - 1)),
                "short by a map": first,
                "short in the last map": first + rng.randint(1, max(1, second - 1)),
                "one word short": first + second - 1,
                "one word long": first + second + 1,
            }.get(str(kind), first + second + rng.randint(2, 9))
            if count == first + second:
                continue
            bench.gaps(0.5 if kind == "with gaps" else 0, 0)
            words = [*frame.sent, *(rng.getrandbits(2) for _ in range(9))]
            bench.send(words[:count])
            await bench.start()
            status = await bench.ends()
            long = count > first + second
            assert status.outcome == ("stream_long" if long else "stream_short"), kind
            assert status.layer == int(count > first), kind
            coverage.hit(kind)
            await clean(bench)
            await bench.good(frame)
    coverage.require(1)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def programs_without_an_end(dut: Any) -> None:
    """Beyond the program memory there is nothing to run, wherever one comes from."""
    rng = seeded("program end")
    bench = await Bench.begin(dut, rng)
    graph, image = whole(rng, bench)
    await bench.load(image)
    frame, depth = Frame.of(graph, image, rng), bench.hardware.program_words
    for first in (depth, depth + 1, 0xFFFF):
        await bench.start(first=first)
        status = await bench.ends()
        assert (status.outcome, status.layer) == ("program_end", first)
        assert (await bench.cycles())["control"] == 1
    load = image.entries[0].fields
    await write(bench, {**load, "frame_end": 1}, depth - 1)
    bench.send(frame.sent[: image.inputs[0].layout.words])
    await bench.start(first=depth - 1)
    status = await bench.ends()
    assert (status.outcome, status.layer) == ("program_end", depth)
    # an empty word is no operation
    await bench.write_words(PROGRAM, [0], DESCRIPTOR_BITS, depth - 1)
    await bench.start(first=depth - 1)
    status = await bench.ends()
    assert (status.outcome, status.layer) == ("operation", depth - 1)
    await bench.good(frame)


@cocotb.test(timeout_time=60, timeout_unit="ms")
async def descriptors_with_a_wrong_field(dut: Any) -> None:
    """Whatever stands in a descriptor: the machine ends or is aborted, and is sound behind it."""
    rng = seeded("corrupted")
    bench = await Bench.begin(dut, rng)
    memories, machine = Memories(dut, bench.hardware), built(bench.hardware)
    memories.fill(rng)
    ends = ["done", *(error.name for error in ERRORS if error.code and error.name != "program_end")]
    coverage = Coverage("ends", ends)
    fields_met: dict[str, int] = {}
    empty = [0] * bench.hardware.program_words
    for _ in coverage.rounds(CORRUPTIONS // 10, times=5 if ENOUGH else 1):
        drawn = None
        while drawn is None:
            drawn = draw(rng, bench.hardware)
        graph, image = drawn
        frame = Frame.of(graph, image, rng)
        await bench.write_words(PROGRAM, empty, DESCRIPTOR_BITS)
        await bench.load(image)
        for _ in range(10):
            number = rng.randrange(len(image.entries))
            right = image.entries[number].fields
            wrong = corrupt(rng, right, names=rng.choice(((), (), BASES, sharp(right))))
            name = next(name for name in wrong if wrong[name] != right[name])
            fields_met[name] = fields_met.get(name, 0) + 1
            await write(bench, wrong, number)
            status = await stray(bench, frame, memories, image, number, wrong)
            expected = error_of(wrong, machine)
            if expected != "none":
                assert (status.outcome, status.layer) == (expected, number), name
            coverage.hit(status.outcome)
            await write(bench, right, number)
            await bench.good(frame)
    coverage.require(1, share=1.0 if ENOUGH else 0.2)
    assert len(fields_met) > 30 or not ENOUGH


def sharp(fields: Mapping[str, int]) -> tuple[str, ...]:
    """Fields in which a wrong number is told, or keeps the machine busy for long."""
    product = fields["operation"] == Operation.PRODUCT
    if product and fields["reduce"] == Reduce.SUM:
        return ("output_height", "output_width")
    if fields["operation"] == Operation.LOAD:
        return ("input_channels", "input_height", "input_width", "frame_end")
    if product:
        return ("block_rows", "block_columns", "reduce", "weight_bits", "weight_step", "operation")
    return ("operation", "reduce", "source_bank", "target_bank", "input_form", "input_lanes")


async def stray(
    bench: Bench,
    frame: Frame,
    memories: Memories,
    image: Image,
    number: int,
    wrong: Mapping[str, int],
) -> Status:
    """Run the program with its wrong descriptor; what it may not write stays as it was."""
    before = memories.all()
    bench.send(frame.sent)
    bench.gaps(*bench.rng.choice(((0, 0), (0.3, 0.3))))
    await bench.start()
    if await bench.interrupt(PATIENCE):
        status = await bench.ends()
    else:
        status = await bench.abort()
        assert status.outcome == "abort"
    after = memories.all()
    run = [wrong if n == number else entry.fields for n, entry in enumerate(image.entries)]
    targets = {fields["target_bank"] for fields in run[: status.layer + 1]}
    for name in before:
        if name not in {f"bank {bank}" for bank in targets}:
            assert before[name] == after[name], f"{name} has changed"
    await clean(bench)
    return status
