"""Kernels of products: convolution and fully connected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic
from codesign.ir import IntArray


def conv(site: Site) -> Kernel:
    """Convolution of a padded copy; in 16 bits where operand and sums are proved to fit them.

    Sums wrap modulo 2^16 or 2^32 on the way: only the proved result has to fit.
    """
    codes = site.constant(1)
    if codes.ndim != 4:
        return _conv_any(site)
    groups, (down, right) = site.integer("groups"), site.integers("stride")
    (top, left), pad_code = site.integers("padding"), site.integer("pad_code")
    outputs, depth, rows, columns = codes.shape
    channels, height, width = site.arguments[0].shape
    _, out_rows, out_columns = site.result.shape
    dtype = _wider(site)
    parts = codes.reshape(groups, outputs // groups, depth, rows, columns)
    weight = np.array(parts.transpose(0, 3, 4, 2, 1), dtype, order="C")
    # pixels are computed in pairs: an odd row gets a column more, whose result is dropped
    extra = right * (out_columns % 2)
    padded = (height + 2 * top, width + 2 * left + extra, channels)

    def run(x: IntArray) -> IntArray:
        frame = np.full((len(x), *padded), pad_code, dtype)
        frame[:, top : top + height, left : left + width] = x
        y = np.empty((len(x), out_rows, out_columns, outputs), dtype)
        _conv(frame, weight, down, right, y)
        return y

    return run


def _conv_any(site: Site) -> Kernel:
    """One axis or three, as convolutions of rows: every other tap is a part of the channels.

    The maps that the taps of the frames and rows see stand side by side in each group's channels.
    """
    codes, groups = site.constant(1), site.integer("groups")
    *outer_stride, right = site.integers("stride")
    padding, pad_code = site.integers("padding"), site.integer("pad_code")
    outputs, depth, *outer, columns = codes.shape
    sizes, channels = site.result.shape[1:], site.arguments[0].shape[0]
    taps = int(np.prod(outer, dtype=np.int64))
    dtype = _wider(site)
    parts = codes.reshape(groups, outputs // groups, depth, taps, columns)
    weight = np.array(parts.transpose(0, 4, 3, 2, 1), dtype, order="C")
    weight = weight.reshape(groups, 1, columns, taps * depth, outputs // groups)
    # pixels are computed in pairs: an odd row gets a column more, whose result is dropped
    extra = right * (sizes[-1] % 2)
    width = site.arguments[0].shape[-1] + 2 * padding[-1] + extra
    border = [(0, 0), *((p, p) for p in padding[:-1]), (padding[-1], padding[-1] + extra), (0, 0)]
    rows = int(np.prod(sizes[:-1], dtype=np.int64))

    def run(x: IntArray) -> IntArray:
        frame = np.pad(x.astype(dtype, copy=False), border, constant_values=pad_code)
        seen = np.empty((len(x), *sizes[:-1], width, groups, taps, depth), dtype)
        for number, start in enumerate(np.ndindex(*outer)):
            place = (
                slice(first, first + step * (size - 1) + 1, step)
                for first, step, size in zip(start, outer_stride, sizes[:-1], strict=True)
            )
            part = frame[(slice(None), *place)]
            seen[..., number, :] = part.reshape(*part.shape[:-1], groups, depth)
        y = np.empty((len(x) * rows, 1, sizes[-1], outputs), dtype)
        _conv(seen.reshape(len(y), 1, width, channels * taps), weight, 1, right, y)
        return y.reshape(len(x), *sizes, outputs)

    return run


def _wider(site: Site) -> np.dtype[Any]:
    """What carries the operand, its pad code, and the sums."""
    return np.promote_types(arithmetic(site.arguments[0].type), arithmetic(site.result.type))


def linear(site: Site) -> Kernel:
    """The product with each image's features."""
    return product(site.constant(1), arithmetic(site.result.type))


def product(codes: IntArray, dtype: np.dtype[Any]) -> Callable[[IntArray], IntArray]:
    """Rows (N, features) to `x codes.T` (N, outputs) in `dtype`, which sums may wrap.

    A 1 x 1 convolution of a row whose pixels are the rows of x.
    """
    outputs, features = codes.shape
    weight = np.array(codes.T, dtype, order="C").reshape(1, 1, 1, features, outputs)

    def run(x: IntArray) -> IntArray:
        row = np.zeros((1, 1, len(x) + len(x) % 2, features), dtype)
        row[0, 0, : len(x)] = x
        y: IntArray = np.empty((len(x), outputs), dtype)
        _conv(row, weight, 1, 1, y.reshape(1, 1, len(x), outputs))
        return y

    return run


@compiled
def _conv(x: IntArray, weight: IntArray, down: int, right: int, y: IntArray) -> None:
    """x (N, H, W, C), weight (groups, rows, columns, C/groups, O/groups), y (N, I, J, O).

    The output channels are the vector. Two pixels and four input channels at a time share the
    loads of the weights and of the sums.
    """
    images, out_rows, out_columns, _ = y.shape
    groups, rows, columns, depth, lanes = weight.shape
    fours = depth // 4 * 4
    sums = np.empty((out_columns + out_columns % 2, lanes), y.dtype)
    for n in range(images):
        for i in range(out_rows):
            for g in range(groups):
                sums[:] = 0
                for u in range(rows):
                    line = x[n, i * down + u, :, g * depth : (g + 1) * depth]
                    for v in range(columns):
                        tap = weight[g, u, v]
                        for j in range(0, out_columns, 2):
                            a, b = sums[j], sums[j + 1]
                            p, q = line[j * right + v], line[(j + 1) * right + v]
                            for c in range(0, fours, 4):
                                p0, p1, p2, p3 = p[c], p[c + 1], p[c + 2], p[c + 3]
                                q0, q1, q2, q3 = q[c], q[c + 1], q[c + 2], q[c + 3]
                                w0, w1, w2, w3 = tap[c], tap[c + 1], tap[c + 2], tap[c + 3]
                                for o in range(lanes):
                                    a[o] += p0 * w0[o] + p1 * w1[o] + p2 * w2[o] + p3 * w3[o]
                                    b[o] += q0 * w0[o] + q1 * w1[o] + q2 * w2[o] + q3 * w3[o]
                            for c in range(fours, depth):
                                p0, q0, w0 = p[c], q[c], tap[c]
                                for o in range(lanes):
                                    a[o] += p0 * w0[o]
                                    b[o] += q0 * w0[o]
                for j in range(out_columns):  # a slice's assignment takes a second to compile
                    for o in range(lanes):
                        y[n, i, j, g * lanes + o] = sums[j, o]


KERNELS: dict[str, Prepare] = {"conv": conv, "linear": linear, "wide_conv": conv}
