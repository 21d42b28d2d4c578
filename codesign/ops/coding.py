"""Input coding: from pixels to the bits that a binary network reads."""

from __future__ import annotations

import itertools

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import (
    Attribute,
    FunctionBuilder,
    IntArray,
    IntType,
    Operations,
    OpSpec,
    Value,
    mac,
    ops,
    register,
    unsigned,
)

#: Rows Y, Cb, Cr of 256 times BT.601's full-range matrix; added before and after the shift.
YCBCR_MATRIX = ((77, 150, 29), (-43, -85, 128), (128, -107, -21))
YCBCR_OFFSETS = (0, 128, 128)


@register
class Ycbcr(OpSpec):
    """`y = clip(((M x + 128) >> 8) + o, 0, 255)`: RGB to YCbCr, integer BT.601 full range.

    `Y = (77R + 150G + 29B + 128) >> 8`, `Cb = ((-43R - 85G + 128B + 128) >> 8) + 128`,
    `Cr = ((128R - 107G - 21B + 128) >> 8) + 128`, all clipped to 8 b (5-fbnn.md 4.1, design
    choice of the integers; the paper's TYCC starts from YCbCr).
    """

    name = "ycbcr"
    family = "input"
    inputs = ("x",)
    unit = "ycbcr"

    def infer(self, x: Value) -> Value:
        if x.shape[:1] != (3,) or not unsigned(8).holds(x.type):
            raise CodesignError(
                f"ycbcr: x is {x}; give red, green and blue as 3 channels of [0..255]"
            )
        # each component is monotone in red, green and blue: its extremes are at the corners
        corners = np.array(list(itertools.product((x.type.lo, x.type.hi), repeat=3)))
        codes = self.reference(corners)
        return x.like(type=IntType(int(codes.min()), int(codes.max())))

    def reference(self, x: IntArray) -> IntArray:
        red, green, blue = (x[:, c].astype(np.int64) for c in range(3))
        parts = [
            ((r * red + g * green + b * blue + 128) >> 8) + offset
            for (r, g, b), offset in zip(YCBCR_MATRIX, YCBCR_OFFSETS, strict=True)
        ]
        return np.clip(np.stack(parts, axis=1), 0, 255)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        wide = f.cast(x, "int64")
        colours = [f.Gather(wide, f.const([c]), axis=1) for c in range(3)]
        parts = []
        for row, offset in zip(YCBCR_MATRIX, YCBCR_OFFSETS, strict=True):
            # the offset goes before the division, so that no sum is negative
            total = f.const(128 + 256 * offset)
            for colour, factor in zip(colours, row, strict=True):
                total = f.Add(total, f.Mul(colour, f.const(factor)))
            parts.append(f.Div(total, f.const(256)))
        return f.carry(f.Clip(f.Concat(*parts, axis=1), f.const(0), f.const(255)))

    def cost(self, x: Value) -> Operations:
        pixels = x.size // 3
        rest = ops("shift", 17, 3 * pixels) + ops("compare", 10, 6 * pixels)
        return mac(9, x.type.storage_bits, 9 * pixels) + rest


@register
class Thermometer(OpSpec):
    """`y[o] = 1 if x[c] > levels[o] else low`: thermometer code, `counts[c]` bits a component.

    The bits of component 0 come first, each component's from its least level to its greatest
    (5-fbnn.md 4.1, 6-gbm.md 4.1). `counts` is one number for every component, or one for all.
    """

    name = "thermometer"
    family = "input"
    inputs = ("x", "levels")
    constant_inputs = ("levels",)
    attributes = (
        Attribute("counts", "bits of each component, or of every one", "ints", lo=1),
        Attribute("low", "code of a bit that is not set: 0, or -1", default=0, lo=-1, hi=0),
    )
    unit = "thermometer"

    def infer(self, x: Value, levels: Value, *, counts: tuple[int, ...], low: int) -> Value:
        if not x.shape or len(counts) not in (1, x.shape[0]):
            raise CodesignError(
                f"thermometer: attribute counts is {counts}, x is {x}; give one number, or one "
                "for each component of x"
            )
        components = _components(x.shape[0], counts)
        if levels.shape != components.shape:
            raise CodesignError(
                f"levels have shape {levels.shape}, counts {counts} of x {x} ask for "
                f"{components.size}; give one level a bit"
            )
        assert levels.data is not None  # a constant input
        for component in range(x.shape[0]):
            own = levels.data[components == component].tolist()
            if own != sorted(own):
                raise CodesignError(
                    f"the levels of component {component} do not ascend: {own}; sort them"
                )
        least, greatest = int(levels.data.min()), int(levels.data.max())
        none, every = x.type.hi <= least, x.type.lo > greatest
        bits = IntType(1 if every else low, low if none else 1, 1 - low)
        return x.like(shape=(components.size, *x.shape[1:]), type=bits)

    def reference(
        self, x: IntArray, levels: IntArray, *, counts: tuple[int, ...], low: int
    ) -> IntArray:
        parts = x[:, _components(x.shape[1], counts)]
        passed = parts > levels.reshape(-1, *[1] * (x.ndim - 2))
        return np.where(passed, np.int64(1), np.int64(low))

    def onnx(self, f: FunctionBuilder, x: str, levels: str) -> str:
        # component of bit o: how many components end at o or before
        each = f.Expand(f.attr("counts"), f.Shape(x, start=1, end=2))
        ends = f.Unsqueeze(f.CumSum(each, f.const(0)), f.const([1]))
        size = f.Squeeze(f.Shape(levels))
        places = f.Unsqueeze(f.Range(f.const(0), size, f.const(1)), f.const([0]))
        past = f.cast(f.GreaterOrEqual(places, ends), "int64")
        parts = f.Gather(f.cast(x, "int64"), f.ReduceSum(past, f.const([0]), keepdims=0), axis=1)
        ones = f.Add(f.Mul(f.Shape(x, start=2), f.const(0)), f.const(1))
        level = f.Reshape(f.cast(levels, "int64"), f.Concat(f.const([-1]), ones, axis=0))
        return f.carry(f.Where(f.Greater(parts, level), f.const(1), f.attr("low")))

    def cost(self, x: Value, levels: Value, **_: object) -> Operations:
        return ops("compare", x.type.width, levels.size * (x.size // x.shape[0]))


def _components(components: int, counts: tuple[int, ...]) -> IntArray:
    """The component that each bit comes from."""
    each = counts if len(counts) == components else counts * components
    return np.repeat(np.arange(components), each)
