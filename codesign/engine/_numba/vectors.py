"""Pieces of LLVM code that every kernel written in it is made of: vectors at addresses, loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

_WORD, _LONG = ir.IntType(32), ir.IntType(64)


def load(builder: Any, address: Any, kind: Any) -> Any:
    """What lies at an address, wherever that is."""
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def store(builder: Any, value: Any, address: Any) -> None:
    """Write to an address, wherever that is."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """A number in all lanes."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, value, _WORD(0))
    every = ir.Constant(ir.VectorType(_WORD, lanes), [0] * lanes)
    return builder.shuffle_vector(first, undefined, every)


def repeat(
    builder: Any, count: Any, first: list[Any], turn: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """Writes a loop of `count` turns, at least one; the values that the last turn gives.

    `turn` writes the code of one: from its number, and the values of the turn before, or `first`.
    """
    entry = builder.block
    loop, done = builder.append_basic_block("loop"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    number, *old = (builder.phi(kind) for kind in (_LONG, *(value.type for value in first)))
    new = turn(number, old)
    following = builder.add(number, _LONG(1))
    values = zip([number, *old], [_LONG(0), *first], [following, *new], strict=True)
    for phi, start, later in values:
        phi.add_incoming(start, entry)
        phi.add_incoming(later, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
    builder.position_at_end(done)
    return new
