"""residual_unit against the operations of the family `residual`, and their compositions."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from codesign.ir import IntArray, lookup
from codesign.rtl.codes import Form, decode, encode
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import code_range, corner, vectors

#: By `mode_i`: what it computes of a, b and select.
MODES = ("none", "or", "and", "average", "mux", "mux or", "mux and", "mux average")
ONE_BIT = {"or": "bit_or", "and": "bit_and"}


def _merged(kind: str, a: IntArray, b: IntArray, one_bit: bool) -> IntArray:
    """The op table on two maps; AND of wider codes, which it does not have, is the lesser."""
    if kind == "average":
        return lookup("shift_add").reference(a, b)
    if one_bit:
        return lookup(ONE_BIT[kind]).reference(a, b)
    return lookup("maximum").reference(a, b) if kind == "or" else np.minimum(a, b)


def _expected(mode: str, a: int, b: int, select: int, one_bit: bool) -> int:
    """Maps of one channel and one code."""
    maps = [np.array([[value]]) for value in (a, b)]
    if mode == "none":
        return a
    chosen = np.array([[select]])
    if mode == "mux":
        return int(lookup("mux").reference(*maps, chosen)[0, 0])
    merged = _merged(mode.removeprefix("mux "), *maps, one_bit)
    if mode.startswith("mux"):
        merged = lookup("mux").reference(merged, maps[0], chosen)
    return int(merged[0, 0])


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_mode(dut: Any) -> None:
    """All forms; all pairs of codes where there are few, corners and random ones of wider codes."""
    rng = seeded("residual_unit")
    bits = len(dut.a_i)
    forms = [form for form in Form if form is not Form.SIGNED or bits > 1]
    orders = ("a < b", "a = b", "a > b")
    coverage = Coverage("residual_unit", product(forms, MODES, (0, 1), orders))
    for number in range(vectors(6000)):
        form, (code, mode) = rng.choice(forms), rng.choice(list(enumerate(MODES)))
        if form is Form.BIPOLAR and "average" in mode and bits == 1:
            mode, code = "none", 0  # -1, 0, 1 take two bits
        low, high = code_range(form, bits)
        a, b = (
            rng.choice((low, high)) if form is Form.BIPOLAR else corner(rng, low, high)
            for _ in "ab"
        )
        b = a if number % 8 == 0 else b
        select = rng.randint(0, 1)
        dut.mode_i.value, dut.form_i.value, dut.select_i.value = code, form, select
        # a bipolar code is bit 0; what is above it may be anything
        above = rng.getrandbits(bits) & ~1 if form is Form.BIPOLAR else 0
        dut.a_i.value = int(encode(np.array(a), form, bits)) | above
        dut.b_i.value = int(encode(np.array(b), form, bits)) | above
        await Timer(1, "ns")
        given = Form.SIGNED if form is Form.BIPOLAR and "average" in mode else form
        seen = int(decode(np.array(int(dut.code_o.value)), given, bits))
        one_bit = form is Form.BIPOLAR or (min(a, b) >= 0 and max(a, b) <= 1)
        assert seen == _expected(mode, a, b, select, one_bit), (form, mode, a, b, select)
        coverage.hit((form, mode, select, orders[(a >= b) + (a > b)]))
    coverage.require(2, share=1.0 if bits > 1 else 0.85)
