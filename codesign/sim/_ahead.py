"""The next batches are read while one is computed."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

#: Items that wait, read but not asked for: enough that none is waited for, few enough for memory.
WAITING = 2
#: Seconds after which a reader whose items nobody takes looks whether anybody will.
_LOOK = 0.1


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """`items` in order, made in a thread of their own; an error is raised in its item's place.

    At most WAITING + 1 are made before they are asked for. A caller that stops, or is interrupted,
    is not kept waiting for an item that is being made.
    """
    queue: Queue[tuple[Item] | BaseException | None] = Queue(WAITING)
    stopped = Event()

    def put(entry: tuple[Item] | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                queue.put(entry, timeout=_LOOK)
                return True
            except Full:
                continue
        return False

    def fill() -> None:
        try:
            for item in items:
                if not put((item,)):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 (it is raised where the item is asked for)
            put(error)

    Thread(target=fill, name="codesign-ahead", daemon=True).start()
    try:
        while (entry := queue.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stopped.set()
