"""The schedule of docs/hardware/schedule.md, stepped through cycle by cycle.

Three state machines, as in the hardware: the array, the weight fetch and the drain. Written from
the page, sharing nothing with the closed form but the layer's numbers: tiles are found by walking
channels and pixels one by one, every cycle is counted where it happens.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from codesign.hw.config import Hardware
from codesign.hw.layout import Layout
from codesign.hw.work import Work


def word_of(layout: Layout, channel: int) -> set[int]:
    """The words (of a pixel) in which a channel's lanes are."""
    lanes = range(channel * layout.lanes, (channel + 1) * layout.lanes)
    return {lane // layout.word_lanes for lane in lanes}


def shuffled(channel: int, channels: int, groups: int) -> int:
    """Where channel_shuffle puts a channel, from the operation's definition."""
    for group in range(groups):
        for index in range(channels // groups):
            if group * (channels // groups) + index == channel:
                return index * groups + group
    raise AssertionError(channel)


def words_written(work: Work, tile: list[int]) -> int:
    """Words that one pixel of an output tile is written to."""
    found: set[int] = set()
    for channel in tile:
        found |= word_of(work.target, shuffled(channel, work.outputs, work.shuffle))
    return len(found)


def chunks(items: list[int], most: int) -> list[list[int]]:
    """`items` in order, at most `most` at a time."""
    return [items[start : start + most] for start in range(0, len(items), most)]


def pixel_blocks(work: Work, most: int) -> list[list[tuple[int, int]]]:
    """Blocks of output pixels: whole rows while they fit, else pieces of a row."""
    height, width = work.size
    rows, columns = work.pool
    if rows * width <= most:
        while (rows + work.pool[0]) * width <= most and rows < height:
            rows += work.pool[0]
        columns = width
    else:
        while rows * (columns + work.pool[1]) <= most:
            columns += work.pool[1]
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y in range(height):
        for x in range(width):
            found.setdefault((y // rows, x // columns), []).append((y, x))
    return [found[key] for key in sorted(found)]


def whole_windows(work: Work, block: list[tuple[int, int]]) -> int:
    """Pooling windows that lie in the block entirely."""
    members = Counter((y // work.pool[0], x // work.pool[1]) for y, x in block)
    return sum(count == work.pool[0] * work.pool[1] for count in members.values())


@dataclass
class Fetch:
    """The weight fetch: an address a cycle, each word in the tile buffer one cycle later."""

    words: int = 0
    issued: int = 0
    arrived: int = 0
    reads: int = 0

    def request(self, words: int) -> None:
        """Begin to fetch a tile into the buffer that is free."""
        self.words, self.issued, self.arrived = words, 0, 0

    @property
    def ready(self) -> bool:
        return self.arrived == self.words

    def tick(self) -> None:
        self.arrived = self.issued
        if self.issued < self.words:
            self.issued += 1
            self.reads += 1


@dataclass
class Drain:
    """The drain: works through windows; each reads accumulators and writes words side by side."""

    queue: list[tuple[int, int]] = field(default_factory=list)
    tail: int = 0
    reads_left: int = 0
    writes_left: int = 0
    writes: int = 0

    @property
    def idle(self) -> bool:
        return not (self.queue or self.tail or self.reads_left or self.writes_left)

    def start(self, windows: list[tuple[int, int]], tail: int) -> None:
        assert self.idle
        self.queue, self.tail = list(windows), tail

    def tick(self) -> None:
        if not (self.reads_left or self.writes_left) and self.queue:
            self.reads_left, self.writes_left = self.queue.pop(0)
        if self.reads_left or self.writes_left:
            self.reads_left = max(0, self.reads_left - 1)
            self.writes += bool(self.writes_left)
            self.writes_left = max(0, self.writes_left - 1)
        elif self.tail:
            self.tail -= 1


@dataclass
class Turn:
    """A block of pixels of an output tile, with its steps and what its drain has to do."""

    steps: list[tuple[int, int, int]]
    pixels: list[tuple[int, int]]
    outputs: int
    windows: list[tuple[int, int]]


def turns(work: Work, hardware: Hardware) -> list[Turn]:
    """The loop nest of the page: output tile, pixel block, tap, input tile."""
    per_word = int(hardware.weight_word) // work.weight_bits
    blocks = pixel_blocks(work, hardware.accumulator.pixels)
    found = []
    for group in range(work.groups):
        members = range(work.source.channels)
        inputs: dict[int, int] = {}
        for channel in members:
            if channel * work.groups // work.source.channels == group:
                (word,) = word_of(work.source, channel)
                inputs[word] = inputs.get(word, 0) + 1
        each = work.outputs // work.groups
        for tile in chunks(list(range(group * each, (group + 1) * each)), hardware.lanes.output):
            for number, block in enumerate(blocks):
                steps = []
                for row in range(work.kernel[0]):
                    for column in range(work.kernel[1]):
                        for _, count in sorted(inputs.items()):
                            places = 1
                            while places < count:
                                places *= 2
                            weights = [None] * (places * len(tile))
                            words = len(range(0, len(weights), per_word))
                            steps.append((row, column, words))
                windows = _drained(work, tile, block, number == len(blocks) - 1)
                found.append(Turn(steps, block, len(tile), windows))
    if work.reduce == "argmax":
        found[-1].windows.append((0, work.target.words))
    return found


def _drained(
    work: Work, tile: list[int], block: list[tuple[int, int]], last: bool
) -> list[tuple[int, int]]:
    """(accumulator reads, words written) of each window of a block."""
    area = work.pool[0] * work.pool[1]
    count, writes = whole_windows(work, block), words_written(work, tile)
    if work.reduce == "argmax":
        return [(1, 0)] * (count * len(tile))
    if work.reduce == "sum":
        return [(area, 0)] * count + ([(0, writes)] if last else [])
    return [(area, writes)] * count


def product(work: Work, hardware: Hardware) -> tuple[Counter[str], Counter[str]]:
    """Cycles by cause and events of a product layer, counted one by one."""
    cycles: Counter[str] = Counter()
    events: Counter[str] = Counter()
    fetch, drain = Fetch(), Drain()

    def clock(cause: str) -> None:
        cycles[cause] += 1
        fetch.tick()
        drain.tick()

    for _ in range(4):
        clock("control")
    order = turns(work, hardware)
    every_step = [(turn, step) for turn in order for step in turn.steps]
    fetch.request(every_step[0][1][2])
    while not fetch.ready:
        clock("weight_load")
    position = 0
    for turn in order:
        for row, column, _ in turn.steps:
            position += 1
            if position < len(every_step):
                fetch.request(every_step[position][1][2])
            for y, x in turn.pixels:
                events["activation_read"] += _inside(work, y, x, row, column)
                events["accumulate"] += turn.outputs
                clock("compute")
            if len(turn.pixels) % 2:
                clock("stall")  # the accumulator banks take turns
            while not fetch.ready:
                clock("stall")
        for _ in range(3):
            clock("drain")  # the pipeline empties into the accumulators
        while not drain.idle:
            clock("drain")  # the block before has not left yet
        drain.start(turn.windows, tail=3)
        events["parameter_read"] += work.bias
    while not drain.idle:
        clock("drain")
    events["weight_read"] = fetch.reads
    events["activation_write"] = drain.writes
    return cycles, events


def _inside(work: Work, y: int, x: int, row: int, column: int) -> bool:
    top = y * work.stride[0] + row - work.padding[0]
    left = x * work.stride[1] + column - work.padding[1]
    return 0 <= top < work.source.height and 0 <= left < work.source.width


def vector(work: Work, hardware: Hardware) -> tuple[Counter[str], Counter[str]]:
    """Cycles by cause and events of a vector layer, counted one by one."""
    cycles: Counter[str] = Counter(control=4)
    events: Counter[str] = Counter()
    for tile in chunks(list(range(work.outputs)), hardware.lanes.output):
        events["parameter_read"] += work.bias
        read: set[int] = set()
        for channel in tile:
            read |= word_of(work.source, channel)
        reads = [word for _ in range(work.pool[0] * work.pool[1]) for word in read]
        writes = 0 if work.reduce else words_written(work, tile)
        compares = len(tile) if work.reduce == "argmax" else 0
        for _ in range(work.pooled[0] * work.pooled[1]):
            left = [len(reads), writes, compares]
            while any(left):
                cycles["vector"] += 1
                events["activation_read"] += bool(left[0])
                events["activation_write"] += bool(left[1])
                left = [max(0, count - 1) for count in left]
        if work.reduce == "sum":
            cycles["vector"] += words_written(work, tile)
            events["activation_write"] += words_written(work, tile)
    if work.reduce == "argmax":
        cycles["vector"] += work.target.words
        events["activation_write"] += work.target.words
    cycles["vector"] += 4
    return cycles, events
