"""What threads that share memory need and numba does not give: ordered loads, stores, exchanges.

All take the address of a 64-bit word. `invoke` calls compiled code by its address.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD = ir.IntType(64)
#: What tells the processor that a loop only waits, by machine.
_PAUSE = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}


def _emitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a function of compiled code whose code `function` makes."""
    return cast(Callable[..., Any], intrinsic(function))


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _WORD.as_pointer())


@_emitted
def load(typing: Any, address: Any) -> Any:
    """The word; nothing behind this is read before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(builder, arguments[0]), "acquire", 8)

    return types.int64(types.intp), generate


@_emitted
def store(typing: Any, address: Any, value: Any) -> Any:
    """Write the word; whoever reads it with `load` sees everything written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _pointer(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.int64), generate


@_emitted
def add(typing: Any, address: Any, value: Any) -> Any:
    """Add to the word; the word before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _pointer(builder, arguments[0]), arguments[1], "acq_rel")

    return types.int64(types.intp, types.int64), generate


@_emitted
def exchange(typing: Any, address: Any, old: Any, new: Any) -> Any:
    """Write `new` if the word is `old`; whether it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _pointer(builder, arguments[0])
        pair = builder.cmpxchg(target, arguments[1], arguments[2], "acq_rel", "acquire")
        return builder.extract_value(pair, 1)

    return types.boolean(types.intp, types.int64, types.int64), generate


@_emitted
def pause(typing: Any) -> Any:
    """Let the core's other thread, or the power budget, have this moment."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = _PAUSE.get(platform.machine())
        if name is not None:
            module, kind = builder.module, ir.FunctionType(ir.VoidType(), ())
            builder.call(module.globals.get(name) or ir.Function(module, kind, name), ())
        return context.get_dummy_value()

    return types.void(), generate


@_emitted
def give_way(typing: Any) -> Any:
    """Let another thread that waits for this core run first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if os.name == "posix":
            module, kind = builder.module, ir.FunctionType(ir.IntType(32), ())
            name = "sched_yield"
            builder.call(module.globals.get(name) or ir.Function(module, kind, name), ())
        return context.get_dummy_value()

    return types.void(), generate


@_emitted
def invoke(typing: Any, function: Any, record: Any, part: Any, parts: Any) -> Any:
    """Call the code at an address: `(record, part, parts)`, see `tasks.entry`; what it returns."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_WORD, (_WORD,) * 3).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], kind), arguments[1:])

    return types.int64(types.intp, *[types.int64] * 3), generate


@_emitted
def pointer(typing: Any, address: Any) -> Any:
    """An address as the pointer that `numba.carray` takes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.intp), generate
