"""Random crops and mirrors of 8-bit images and clips, the same for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError

Images = NDArray[np.uint8]


@numba.njit(cache=True)
def _crop(images: Any, index: Any, down: Any, right: Any, mirror: Any, pad: int, out: Any) -> None:
    """`out[k]` is image `index[k]` moved by (down - pad, right - pad), zeros outside, mirrored."""
    _, high, wide, channels = images.shape
    for k in range(len(index)):
        for i in range(high):
            row = i + down[k] - pad
            for j in range(wide):
                column = j + right[k] - pad
                place = wide - 1 - j if mirror[k] else j
                inside = 0 <= row < high and 0 <= column < wide
                for c in range(channels):
                    out[k, i, place, c] = images[index[k], row, column, c] if inside else 0


def batches(
    images: Images,
    labels: NDArray[np.int64],
    *,
    batch: int,
    seed: int,
    epoch: int,
    pad: int,
    flip: bool,
) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    """Shuffled, augmented batches of one epoch: (batch, H, W, C) uint8 and their labels.

    Clips (N, T, H, W, C) are cropped alike in all their frames, and never mirrored: left and right
    are classes. A last batch smaller than half of `batch` is left out. Equal arguments give equal
    batches. Raises CodesignError where `flip` is wanted of clips.
    """
    if flip and images.ndim == 5:
        raise CodesignError(
            "training: flip is True, the classes of clips may be left and right; give flip False"
        )
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(images))
    down, right = random.integers(0, 2 * pad + 1, (2, len(images)))
    mirror = random.integers(0, 2, len(images)).astype(np.bool_) & flip
    for start in range(0, len(images), batch):
        index = order[start : start + batch]
        if len(index) * 2 < batch:
            return
        place = slice(start, start + len(index))
        out = np.empty((len(index), *images.shape[1:]), np.uint8)
        frames = images.shape[1] if images.ndim == 5 else 1
        each = (index[:, np.newaxis] * frames + np.arange(frames)).ravel()
        moves = [np.repeat(move[place], frames) for move in (down, right, mirror)]
        single = (-1, *images.shape[-3:])
        _crop(images.reshape(single), each, *moves, pad, out.reshape(single))  # type: ignore[call-arg,arg-type]
        yield out, labels[index]
