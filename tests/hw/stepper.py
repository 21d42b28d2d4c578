"""The schedule of docs/hardware/schedule.md, stepped through cycle by cycle.

State machines, as in the hardware: the array, the weight fetch, and the pipeline that drains and
does vector layers. Written from the page, sharing nothing with the closed form but the layer's
numbers: tiles are found by walking channels and pixels one by one, every cycle is counted where it
happens.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Slot:
    """One cycle's work of the pipeline: perhaps a read; `words` of a result that it completes."""

    read: bool
    words: int = 0


class Pipeline:
    """Drain and vector datapath: stages in lock-step, and a write buffer for one result.

    A slot that completes a result leaves the last stage when the buffer is free, or becomes so in
    the same cycle; until then every stage stands still.
    """

    def __init__(self, *stages: str) -> None:
        self.stages: list[Slot | None] = [None] * len(stages)
        self.queue: deque[Slot] = deque()
        self.buffer = 0  # words of the result that is being written
        self.looks = False
        self.reads = self.writes = 0

    @property
    def idle(self) -> bool:
        return not (self.looks or any(self.stages) or self.buffer)

    def start(self, slots: list[Slot]) -> None:
        """Take up work; where there is none, it takes a cycle to see it."""
        assert self.idle
        self.queue = deque(slots)
        self.looks = True
        self.stages[0] = self.queue.popleft() if self.queue else None

    def tick(self) -> None:
        self.looks = False
        if self.buffer:
            self.buffer -= 1
            self.writes += 1
        leaving = self.stages[-1]
        if leaving and leaving.words and self.buffer:
            return  # frozen
        if leaving and leaving.words:
            self.buffer = leaving.words
        if self.stages[0]:
            self.reads += self.stages[0].read
        self.stages = [self.queue.popleft() if self.queue else None, *self.stages[:-1]]


def collected(reads: int, words: int) -> list[Slot]:
    """A result that its last read completes."""
    return [Slot(True)] * (reads - 1) + [Slot(True, words)]


@dataclass
class Turn:
    """A block of pixels of an output tile, with its steps and what its drain has to do."""

    steps: list[tuple[int, int, int]]
    pixels: list[tuple[int, int]]
    outputs: int
    drained: list[Slot]


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
                drained = _drained(work, tile, block, number == len(blocks) - 1)
                found.append(Turn(steps, block, len(tile), drained))
    if work.reduce == "argmax":
        found[-1].drained.append(Slot(False, work.target.words))
    return found


def _drained(work: Work, tile: list[int], block: list[tuple[int, int]], last: bool) -> list[Slot]:
    """What a drain does with the windows of a block."""
    area = work.pool[0] * work.pool[1]
    count, writes = whole_windows(work, block), words_written(work, tile)
    if work.reduce == "argmax":
        return [Slot(True)] * (count * len(tile))
    if work.reduce == "sum":
        return [Slot(True)] * (count * area) + ([Slot(False, writes)] if last else [])
    return collected(area, writes) * count


def product(work: Work, hardware: Hardware) -> tuple[Counter[str], Counter[str]]:
    """Cycles by cause and events of a product layer, counted one by one."""
    cycles: Counter[str] = Counter()
    events: Counter[str] = Counter()
    fetch, drain = Fetch(), Pipeline("read", "normalize", "pool")

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
        drain.start(turn.drained)
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
    slots: list[Slot] = []
    for tile in chunks(list(range(work.outputs)), hardware.lanes.output):
        events["parameter_read"] += work.bias
        read: set[int] = set()
        for channel in tile:
            read |= word_of(work.source, channel)
        words = words_written(work, tile)
        for _ in range(work.pooled[0] * work.pooled[1]):
            reads = work.pool[0] * work.pool[1] * len(read)
            slots += collected(reads, 0 if work.reduce else words)
            if work.reduce == "argmax":
                slots += [Slot(False)] * len(tile)  # one comparator, a score a cycle
        if work.reduce == "sum":
            slots.append(Slot(False, words))
    if work.reduce == "argmax":
        slots.append(Slot(False, work.target.words))
    pipeline = Pipeline("read", "gather", "normalize", "pool")
    pipeline.start(slots)
    while not pipeline.idle:
        cycles["vector"] += 1
        pipeline.tick()
    events["activation_read"], events["activation_write"] = pipeline.reads, pipeline.writes
    return cycles, events
