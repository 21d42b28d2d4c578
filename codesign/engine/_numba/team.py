"""A team: threads that share the parts of a program's tasks, while a run lasts.

One thread leads: it publishes a task and takes parts of it like everyone else. A helper that finds
parts takes some; a helper that is late finds none, and nobody waits for it: that is why a team
cannot deadlock, whatever becomes of a helper (a core taken away, a forked process without it).
The leader waits only for parts that a helper has begun.

The ticket is one word, `number of the task << 32 | parts that are left`. To take a part is to
exchange the ticket for the same with a part less: it fails if anything has changed since the task's
address was read. Helpers spin while programs follow each other, then sleep.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np

from codesign.engine._numba import atomics
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.tasks import address, alone, check
from codesign.engine.base import Work
from codesign.ir import IntArray

# words of the state, in bytes; each of the first three on a cache line of its own
TICKET, DONE, TASK, LEAVE, AWAKE, LINE = 0, 64, 128, 192, 256, 64
#: Rounds that a helper looks for parts in vain: about a millisecond, so that it lives through the
#: Python between programs and from one run to the next; to be woken takes it a tenth of that.
LOOKS = 1 << 15
#: Rounds that the leader spins for the end of a part that a helper has begun.
ROUNDS = 1 << 12
_NAP = 20e-6  # of the leader, behind that: the helper's core is at other work


@dataclass(slots=True)
class _Shared:
    """What leader and helpers hold; not the team, which may be collected while they sleep."""

    state: IntArray
    calls: list[SimpleQueue[Callable[[], object] | None]]
    threads: list[threading.Thread] = field(default_factory=list)
    refused: bool = False
    process: int = field(default_factory=os.getpid)

    def helping(
        self,
    ) -> Iterator[tuple[SimpleQueue[Callable[[], object] | None], threading.Thread]]:
        """The queues of the threads that run."""
        return zip(self.calls, self.threads, strict=False)


class Chunks:
    """Chunks of images that threads take until none is left, or one has failed."""

    def __init__(self, work: Work, spans: Iterable[tuple[int, int]]) -> None:
        self.work, self.spans = work, deque(spans)
        self.error: BaseException | None = None

    def compute(self) -> None:
        """Take chunks and compute them; keeps what they raise."""
        try:
            while True:
                try:
                    span = self.spans.popleft()
                except IndexError:
                    return
                self.work(*span, False)
        except BaseException as error:  # noqa: BLE001 - raised by the leader
            self.drop(error)

    def drop(self, error: BaseException) -> None:
        """Begin no more chunks."""
        self.spans.clear()
        self.error = self.error or error


class Team:
    """A leader and `helpers` threads; they start with the first call, and end with `close`.

    One thread may use a team at a time: `free` is the lock that it holds.
    """

    def __init__(self, helpers: int) -> None:
        self.helpers, self.free = helpers, threading.Lock()
        self._set_up()

    def _set_up(self) -> None:
        words: IntArray = np.zeros((AWAKE + LINE * (self.helpers + 1)) // 8 + 8, np.int64)
        ahead = -address(words) % 64 // 8
        self._shared = _Shared(words[ahead:], [SimpleQueue() for _ in range(self.helpers)])
        self._state, self._at = self._shared.state, address(self._shared.state)
        self.close = weakref.finalize(self, _close, self._shared)

    def share(self, chunks: Chunks) -> None:
        """Compute chunks on all threads; raises what the first of them raised."""
        self._start()
        self._state[LEAVE // 8] = 1
        ended: SimpleQueue[None] = SimpleQueue()

        def help_out() -> None:
            chunks.compute()
            ended.put(None)

        for queue, _ in self._shared.helping():
            queue.put(help_out)
        chunks.compute()
        for _ in self._shared.threads:
            while True:
                try:
                    ended.get()
                    break
                except BaseException as error:  # noqa: BLE001 - Ctrl-C: what is begun ends first
                    chunks.drop(error)
        if chunks.error is not None:
            raise chunks.error

    def run(self, program: IntArray) -> None:
        """The tasks of a program (see `tasks.program`), in order; back when all are done.

        Raises MemoryError where compiled code found no memory.
        """
        if not self.helpers or (program[:, 2] == 1).all():
            alone(program)
            return
        self._wake()
        try:
            at = _lead(self._at, program, 0, ROUNDS)
            while at < len(program):
                time.sleep(_NAP)
                at = _lead(self._at, program, at, ROUNDS)
        except BaseException:  # Ctrl-C
            self._settle()
            raise
        check(int(self._state[LEAVE // 8 + 1]) == 0)

    def _wake(self) -> None:
        self._start()
        state = self._state
        state[LEAVE // 8] = state[LEAVE // 8 + 1] = 0
        for number, (queue, _) in enumerate(self._shared.helping()):
            word = (AWAKE + number * LINE) // 8
            if not state[word]:
                state[word] = 1
                queue.put(_Serve(self._shared, number))

    def _settle(self) -> None:
        """After an interruption: take the parts that are left away, wait for those begun."""
        while not _settled(self._at):
            with suppress(BaseException):  # the first is raised
                time.sleep(_NAP)

    def _start(self) -> None:
        shared = self._shared
        if shared.process != os.getpid():  # forked: the helpers are the other process's
            self.close.detach()
            self._set_up()
            shared = self._shared
        if shared.threads or shared.refused:
            return
        for number, queue in enumerate(shared.calls):
            thread = threading.Thread(
                target=_help, args=(queue,), name=f"codesign-{number}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads: those that there are will do
                shared.refused = True
                return
            shared.threads.append(thread)


@dataclass(frozen=True, slots=True)
class _Serve:
    """A helper's turn; it keeps the state's memory until it is over."""

    shared: _Shared
    number: int

    def __call__(self) -> None:
        at = address(self.shared.state)
        _serve(at, at + AWAKE + self.number * LINE, LOOKS)


def _help(calls: SimpleQueue[Callable[[], object] | None]) -> None:
    while (work := calls.get()) is not None:
        work()
        del work  # a sleeping helper holds nothing


def _close(shared: _Shared) -> None:
    """End the helpers; those of another process are not ours."""
    if shared.process != os.getpid():
        return
    shared.state[LEAVE // 8] = 1
    for queue in shared.calls:
        queue.put(None)
    for thread in shared.threads:
        if thread is not threading.current_thread():
            thread.join()


@compiled
def _take(at: int) -> bool:
    """Take one part of the published task and compute it; False where none is left."""
    ticket = atomics.load(at + TICKET)
    if ticket & 0xFFFFFFFF == 0:
        return False
    function = atomics.load(at + TASK)
    record = atomics.load(at + TASK + 8)
    parts = atomics.load(at + TASK + 16)
    if atomics.exchange(at + TICKET, ticket, ticket - 1):
        part = parts - (ticket & 0xFFFFFFFF)
        if atomics.invoke(function, record, part, parts) != 1:
            atomics.store(at + LEAVE + 8, 1)
        atomics.add(at + DONE, 1)
    return True


@compiled
def _wait(turn: int) -> None:
    """One round; now and then the core is offered to others: the one waited for may need it."""
    if turn & 511:
        atomics.pause()
    else:
        atomics.give_way()


@compiled
def _lead(at: int, program: IntArray, start: int, rounds: int) -> int:
    """Tasks from `start`; how many are done if that is all of them, else ~(one that lasts)."""
    waiting = start < 0
    t = ~start if waiting else start
    while t < len(program):
        parts = program[t, 2]
        if parts == 1:
            if atomics.invoke(program[t, 0], program[t, 1], 0, 1) != 1:
                atomics.store(at + LEAVE + 8, 1)
            t += 1
            continue
        if not waiting:
            number = (atomics.load(at + TICKET) >> 32) + 1
            atomics.store(at + TASK, program[t, 0])
            atomics.store(at + TASK + 8, program[t, 1])
            atomics.store(at + TASK + 16, parts)
            atomics.store(at + DONE, 0)
            # numbers of tasks start again at 2^31: no helper sleeps through so many
            atomics.store(at + TICKET, (number & 0x7FFFFFFF) << 32 | parts)
            while _take(at):
                pass
        waiting = False
        left = rounds
        while atomics.load(at + DONE) < parts:
            if left == 0:
                return ~t
            left -= 1
            _wait(left)
        t += 1
    return t


@compiled
def _serve(at: int, awake: int, rounds: int) -> None:
    """Take parts until the leader wants no more, or none has come for many rounds."""
    idle = 0
    while idle < rounds:
        if _take(at):
            idle = 0
            continue
        if atomics.load(at + LEAVE):
            break
        idle += 1
        _wait(idle)
    atomics.store(awake, 0)


@compiled
def _settled(at: int) -> bool:
    """Leave no part to take; whether those taken are done."""
    ticket = atomics.load(at + TICKET)
    left = ticket & 0xFFFFFFFF
    if left and atomics.exchange(at + TICKET, ticket, ticket - left):
        atomics.add(at + DONE, left)
    return bool(atomics.load(at + DONE) >= atomics.load(at + TASK + 16))
