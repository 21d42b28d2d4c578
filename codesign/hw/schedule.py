"""Cycles and events of every kind of layer, in closed form (docs/hardware/schedule.md).

The page states the rules; the Verilog follows them cycle by cycle; `tests/hw/stepper.py` steps
through them event by event and must come to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from codesign.hw.config import Hardware
from codesign.hw.layout import Layout
from codesign.hw.plan import Cycles, Events
from codesign.hw.tiling import (
    Block,
    OutputTile,
    blocks,
    input_tiles,
    output_tiles,
    valid_taps,
    windows,
    words_per_tile,
)
from codesign.hw.work import Work

#: The sequencer: address, read, decode, start.
CONTROL = 4
#: A word of the weight memory is in the tile buffer one cycle after its address.
FETCH = 1
#: The last products of a block: activation read, sum, accumulate.
FLUSH = 3
#: Between an accumulator's read and the write of its result: normalize, pool.
DRAIN_PIPELINE = 2
#: The same in a vector layer: gather, normalize, pool.
VECTOR_PIPELINE = 3
#: The last code of a reorder layer: read, write.
REORDER_TAIL = 2
#: A stream word is in the memory, or out of it, one cycle after its address.
STREAM = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles and events of one layer."""

    cycles: Cycles
    events: Events

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cycles + other.cycles, self.events + other.events)


def load(layout: Layout) -> Cost:
    """A map comes in, one word a cycle."""
    words = layout.words
    return Cost(
        Cycles(control=CONTROL, input=words + STREAM),
        Events(stream_word=words, activation_write=words),
    )


def store(layout: Layout) -> Cost:
    """A map goes out, one word a cycle."""
    words = layout.words
    return Cost(
        Cycles(control=CONTROL, output=words + STREAM),
        Events(stream_word=words, activation_read=words),
    )


def reorder(source: Layout, target: Layout) -> Cost:
    """Every code is moved on its own, one a cycle (a code wider than a word: one word a cycle)."""
    each = max(1, source.lanes // source.word_lanes)
    moves = source.channels * source.pixels * each
    return Cost(
        Cycles(control=CONTROL, vector=moves + REORDER_TAIL),
        Events(activation_read=moves, activation_write=moves),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """`count` results that follow each other, each collected and written in so many cycles."""

    count: int
    collect: int
    write: int


def results(runs: Iterable[Run]) -> int:
    """Cycles from the first result's first read to the last one's last word, pipeline left out.

    A result is collected while the one before is written; whichever takes longer counts.
    """
    cycles = writing = 0
    for run in runs:
        cycles += max(run.collect, writing) + (run.count - 1) * max(run.collect, run.write)
        writing = run.write
    return cycles + writing


def vector(work: Work, hardware: Hardware) -> Cost:
    """A map passes through the drain's datapath: rescaled, pooled, shuffled, reduced."""
    rows, columns = work.pooled
    pixels, window = rows * columns, work.pool[0] * work.pool[1]
    tiles = output_tiles(work.outputs, 1, hardware.lanes.output)
    runs, reads = [], 0
    for tile in tiles:
        words = window * len(work.source.span(tile.first, tile.outputs))
        reads += pixels * words
        if work.reduce == "argmax":  # a score a cycle, behind its words
            runs.append(Run(1, words + tile.outputs, 0))
        elif work.reduce == "sum":
            runs.append(Run(1, pixels * words + 1, _writes(work, tile)))
        else:
            runs.append(Run(pixels, words, _writes(work, tile)))
    if work.reduce == "argmax":
        runs = [Run(1, sum(run.collect for run in runs) + 1, work.target.words)]
    return Cost(
        Cycles(control=CONTROL, vector=results(runs) + VECTOR_PIPELINE),
        Events(
            activation_read=reads,
            activation_write=sum(run.count * run.write for run in runs),
            parameter_read=len(tiles) if work.bias else 0,
        ),
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One pixel block of one output tile: the unit of hand-over from array to drain."""

    tile: OutputTile
    block: Block
    last_of_tile: bool
    last_of_layer: bool


def turns(work: Work, hardware: Hardware) -> Iterator[Turn]:
    """The turns of a product layer, in order."""
    block_list = list(blocks(*work.size, work.block(hardware)))
    tiles = output_tiles(work.outputs, work.groups, hardware.lanes.output)
    for tile in tiles:
        for number, block in enumerate(block_list, 1):
            last = number == len(block_list)
            yield Turn(tile, block, last, last and tile is tiles[-1])


def tile_words(work: Work, tile: OutputTile, hardware: Hardware) -> list[int]:
    """Words of each weight tile of an output tile at one tap, by input tile."""
    word = int(hardware.weight_word)
    return [
        words_per_tile(inputs, tile.outputs, work.weight_bits, word)
        for inputs in input_tiles(work.source, tile.group, work.groups)
    ]


def weight_words(work: Work, hardware: Hardware) -> int:
    """Words of the weight memory that a product layer takes."""
    tiles = output_tiles(work.outputs, work.groups, hardware.lanes.output)
    return work.taps * sum(sum(tile_words(work, tile, hardware)) for tile in tiles)


def product(work: Work, hardware: Hardware) -> Cost:
    """Weight tiles pass over blocks of pixels; a block drains while the next one is computed."""
    order = list(turns(work, hardware))
    words: dict[OutputTile, list[int]] = {}
    for turn in order:
        if turn.tile not in words:
            words[turn.tile] = tile_words(work, turn.tile, hardware)
    compute = stall = drain = weight_reads = accumulated = 0
    before = 0  # the drain that runs beside this turn's products
    for index, turn in enumerate(order):
        fetches = [count + FETCH for count in words[turn.tile]]
        following = words[order[index + 1].tile][0] + FETCH if index + 1 < len(order) else 0
        pixels = turn.block.pixels
        slot = pixels + pixels % 2
        # each step lasts until the next one's tile is there: all fetches but the first, and the
        # first of the turn that follows
        steps = work.taps * sum(max(slot, fetch) for fetch in fetches)
        steps += max(slot, following) - max(slot, fetches[0])
        busy = work.taps * len(fetches) * pixels
        compute += busy
        stall += steps - busy
        drain += max(FLUSH, before - steps)
        before = _drain(work, turn)
        weight_reads += work.taps * sum(words[turn.tile])
        accumulated += busy * turn.tile.outputs
    cycles = Cycles(
        compute=compute,
        weight_load=words[order[0].tile][0] + FETCH,
        stall=stall,
        drain=drain + before,
        control=CONTROL,
    )
    return Cost(cycles, _product_events(work, words, weight_reads, accumulated, len(order)))


def _product_events(
    work: Work,
    words: dict[OutputTile, list[int]],
    weight_reads: int,
    accumulated: int,
    turn_count: int,
) -> Events:
    inside = 1
    source = (work.source.height, work.source.width)
    for axis in (0, 1):
        inside *= valid_taps(
            source[axis],
            work.size[axis],
            work.kernel[axis],
            work.stride[axis],
            work.padding[axis],
        )
    pixels = work.size[0] * work.size[1]
    products = pixels * work.taps * work.outputs * (work.source.channels // work.groups)
    rows, columns = work.pooled
    each = sum(_writes(work, tile) for tile in words)
    return Events(
        lane_product=products * work.source.lanes,
        weight_read=weight_reads,
        activation_read=inside * sum(len(counts) for counts in words.values()),
        activation_write=each * (1 if work.reduce else rows * columns) + _index_words(work),
        parameter_read=turn_count if work.bias else 0,
        accumulate=accumulated,
    )


def _drain(work: Work, turn: Turn) -> int:
    """Cycles from the hand-over to the last word of a turn; one to see that there is nothing."""
    count, window = windows(turn.block, work.pool), work.pool[0] * work.pool[1]
    if work.reduce:
        # one comparator: a score a cycle; what was reduced is handed over in a cycle of its own
        each = turn.tile.outputs if work.reduce == "argmax" else window
        ends = turn.last_of_layer if work.reduce == "argmax" else turn.last_of_tile
        words = _index_words(work) or _writes(work, turn.tile)
        run = Run(1, count * each + ends, words if ends else 0)
    else:
        run = Run(count, window, _writes(work, turn.tile))
    return results([run]) + DRAIN_PIPELINE if run.count and run.collect else 1


def _writes(work: Work, tile: OutputTile) -> int:
    """Words written for one pixel of an output tile; an argmax writes nothing a pixel."""
    return 0 if work.reduce == "argmax" else work.written_words(tile.first, tile.outputs)


def _index_words(work: Work) -> int:
    return work.target.words if work.reduce == "argmax" else 0
