"""Reading ahead: the same items in order, few at a time, errors in their place."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from codesign.sim._ahead import WAITING, ahead


def readers() -> int:
    return sum(thread.name == "codesign-ahead" for thread in threading.enumerate())


def settled(count: int = 0) -> bool:
    """Whether so many readers are left, within ten seconds."""
    end = time.monotonic() + 10
    while readers() != count and time.monotonic() < end:
        time.sleep(0.01)
    return readers() == count


def test_in_order_and_few_at_a_time() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    taken = 0
    for number in ahead(items()):
        assert number == taken
        taken += 1
        assert len(made) <= taken + WAITING + 1
    assert taken == 50
    assert list(ahead(iter(()))) == []
    assert settled()


def test_an_error_is_raised_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(4)
        raise ValueError("the fifth")

    read = ahead(items())
    assert [next(read) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"^the fifth$"):
        next(read)
    assert settled()


def test_a_caller_that_stops_waits_for_nothing() -> None:
    blocked, release = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 0
        blocked.set()
        release.wait()
        yield 1
        raise AssertionError("nobody asks for it")

    read = ahead(items())
    assert next(read) == 0
    assert blocked.wait(10)
    read.close()  # returns while the reader is blocked
    assert readers() == 1
    release.set()
    assert settled()
