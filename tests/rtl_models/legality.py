"""What makes a descriptor illegal, from the meanings of the fields and of the error codes.

A second account beside rtl_models/descriptor_check.v, reason by reason, so that a test can demand
that each has been met alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from codesign.hw.descriptor import FIELDS
from codesign.rtl.codes import Activation, Form, Operation, Reduce
from codesign.rtl.registers import ERRORS

Fields = Mapping[str, int]
#: Verilog parameters of the machine, by name.
Built = Mapping[str, int]

CODE = {error.name: error.code for error in ERRORS}
_MOVES = (Operation.PRODUCT, Operation.VECTOR, Operation.REORDER)
_PASSES = (Operation.PRODUCT, Operation.VECTOR)
_AXES = ("rows", "columns")

#: Every reason, with its error; what needs a unit left out is met on a machine without it.
REASONS: dict[str, str] = {
    "unknown operation": "operation",
    "source bank": "bank",
    "target bank": "bank",
    "reads and writes a bank": "bank",
    **dict.fromkeys(
        (
            "no input", "no output", "no window to pool", "no step to pool", "no shuffle",
            "no shuffle channels", "no group inputs", "no group outputs", "too many group inputs",
            "too many group outputs", "no kernel", "no stride", "windows overlap",
            "more channels out than in", "window beyond the map", "index of a map",
        ),
        "size",
    ),
    **dict.fromkeys(("no weight bits", "too many weight bits", "weight step"), "weights"),
    **dict.fromkeys(
        (
            "input lanes", "output lanes", "input form", "output form", "operand too wide",
            "operand beyond a word", "wide bipolar", "lanes change",
        ),
        "form",
    ),
    **dict.fromkeys(("no block", "block beyond the accumulators", "block below a window"), "block"),
    **dict.fromkeys(
        ("unknown reduction", "threshold unit", "pool unit", "argmax"), "unit"
    ),
}  # fmt: skip


def reasons(fields: Fields, built: Built) -> set[str]:
    """All reasons why the machine refuses the descriptor; empty where it runs it."""
    return {reason for reason, holds in _conditions(fields, built) if holds}


def error_of(fields: Fields, built: Built) -> str:
    """The error with which the descriptor is refused, the lowest code first, or "none"."""
    errors = {REASONS[reason] for reason in reasons(fields, built)}
    return min(errors, key=CODE.__getitem__, default="none")


def _conditions(f: Fields, built: Built) -> Iterator[tuple[str, bool]]:
    if f["operation"] not in range(Operation.LOAD, Operation.REORDER + 1):
        yield "unknown operation", True
        return
    operation = Operation(f["operation"])
    banks = range(built["AllBanks"])
    reads, writes = operation is not Operation.LOAD, operation is not Operation.STORE
    yield "source bank", reads and f["source_bank"] not in banks
    yield "target bank", writes and f["target_bank"] not in banks
    yield "no input", 0 in _size(f, "input")
    yield "input lanes", f["input_lanes"] > 5
    yield "input form", f["input_form"] not in list(Form)
    if operation not in _MOVES:
        return
    yield "reads and writes a bank", f["source_bank"] == f["target_bank"]
    yield "no output", 0 in _size(f, "output")
    yield "output lanes", f["output_lanes"] > 5
    yield "output form", f["output_form"] not in list(Form)
    yield "lanes change", operation is Operation.REORDER and f["input_lanes"] != f["output_lanes"]
    if operation not in _PASSES:
        return
    pool, steps = _pair(f, "pool"), _pair(f, "pool_stride")
    yield "no window to pool", 0 in pool
    yield "no step to pool", 0 in steps
    yield "no shuffle", not f["shuffle"]
    yield "no shuffle channels", not f["shuffle_channels"]
    index = f["reduce"] == Reduce.INDEX
    yield "index of a map", index and _size(f, "output")[1:] != (1, 1)
    yield "unknown reduction", f["reduce"] not in list(Reduce)
    yield "wide bipolar", f["input_form"] == Form.BIPOLAR and f["input_lanes"] > 0
    signs = f["activation"] in (Activation.HEAVISIDE, Activation.SIGN)
    below = f["activation"] == Activation.CLIP and f["clip_low"] != 0  # hwmsb is a clip from 0
    yield "threshold unit", (signs or below) and not built["HasThreshold"]
    pooled = f["pool"] == 1 or pool != (1, 1) or f["reduce"] == Reduce.SUM
    yield "pool unit", pooled and not built["HasPool"]
    yield "argmax", index and not built["HasArgmax"]
    if operation is Operation.PRODUCT:
        yield from _product_conditions(f, built, pool, steps)
    else:
        yield "more channels out than in", f["output_channels"] > f["input_channels"]
        yield (
            "window beyond the map",
            any(a > b for a, b in zip(pool, _size(f, "input")[1:], strict=True)),
        )


def _product_conditions(
    f: Fields, built: Built, pool: tuple[int, int], steps: tuple[int, int]
) -> Iterator[tuple[str, bool]]:
    for side in ("input", "output"):
        channels = f[f"group_{side}s"]
        yield f"no group {side}s", channels == 0
        yield f"too many group {side}s", channels > f[f"{side}_channels"]
    yield "no kernel", 0 in _pair(f, "kernel")
    yield "no stride", 0 in _pair(f, "stride")
    yield "windows overlap", pool != steps
    yield "no weight bits", f["weight_bits"] == 0
    yield "too many weight bits", f["weight_bits"] > built["WeightBits"]
    yield "weight step", f["weight_step"] not in (1, 2)
    yield "operand too wide", f["input_lanes"] > 2
    yield "operand beyond a word", 1 << f["input_lanes"] > built["InputLanes"]
    rows, columns = _pair(f, "block")
    yield "no block", rows * columns == 0
    yield "block beyond the accumulators", rows * columns > built["Pixels"]
    yield "block below a window", pool[0] > rows or pool[1] > columns


def _size(f: Fields, side: str) -> tuple[int, int, int]:
    return f[f"{side}_channels"], f[f"{side}_height"], f[f"{side}_width"]


def _pair(f: Fields, name: str) -> tuple[int, int]:
    return f[f"{name}_rows"], f[f"{name}_columns"]


#: Bits of each field.
_WIDTH = {field.name: field.bits for field in FIELDS}


def legalize(rng: random.Random, fields: Fields, built: Built) -> dict[str, int]:
    """The descriptor with what the machine has not built replaced: banks, weights, units, forms."""
    banks = rng.sample(range(built["AllBanks"]), 2)
    found = {**fields, "source_bank": banks[0], "target_bank": banks[1]}
    found["weight_bits"] = rng.randint(1, built["WeightBits"])
    found["weight_step"] = rng.randint(1, 2)
    found["output_form"] = rng.choice(list(Form))
    wide = fields["input_lanes"] > 0
    found["input_form"] = rng.choice(
        [form for form in Form if form is not Form.BIPOLAR or not wide]
    )
    if not built["HasThreshold"]:
        found |= {"activation": rng.choice((Activation.NONE, Activation.CLIP)), "clip_low": 0}
    if fields["reduce"] == Reduce.INDEX and not built["HasArgmax"]:
        found["reduce"] = Reduce.NONE
    if not built["HasPool"]:
        found["reduce"] = min(found["reduce"], Reduce.NONE)
        found |= {f"{name}_{axis}": 1 for name in ("pool", "pool_stride") for axis in _AXES}
        found["pool"] = 0
    return found


def corrupt(rng: random.Random, fields: Fields, *, names: tuple[str, ...] = ()) -> dict[str, int]:
    """One field of the descriptor wrong, or at least different; of `names` if there are any."""
    name = rng.choice(names or tuple(_WIDTH))
    most = (1 << _WIDTH[name]) - 1
    old = fields[name]
    near = (old + 1, old - 1, 0, 1, 2, most, 2 * old, rng.getrandbits(_WIDTH[name]), old ^ most)
    values = [value & most for value in near if value & most != old]
    return {**fields, name: rng.choice(values)}
