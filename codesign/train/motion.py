"""Motion clips: patches of photographs moved in 27 ways, the class is the way (4-billnet.md 4.6).

A made data set, not one of gestures: it stands in for Jester, which may not be handed on. The
photographs are those inside the wheels of scikit-image and scikit-learn; clips for training and
clips for testing come from different ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.train.data import Dataset

#: (package, folder in it) -> photographs, for training and for testing.
PHOTOGRAPHS = {
    "train": (
        ("skimage", "data", "astronaut.png"),
        ("skimage", "data", "brick.png"),
        ("skimage", "data", "camera.png"),
        ("skimage", "data", "chelsea.png"),
        ("skimage", "data", "coffee.png"),
        ("skimage", "data", "coins.png"),
        ("skimage", "data", "gravel.png"),
        ("skimage", "data", "hubble_deep_field.jpg"),
        ("sklearn", "datasets/images", "flower.jpg"),
    ),
    "test": (
        ("skimage", "data", "grass.png"),
        ("skimage", "data", "ihc.png"),
        ("skimage", "data", "rocket.jpg"),
        ("sklearn", "datasets/images", "china.jpg"),
    ),
}
#: A photograph is shrunk until a frame is about one third of it.
FRAMES_ACROSS = 3.0
#: Patches are tried until one has this standard deviation of its grey levels.
CONTRAST, TRIES = 25.0, 12

#: Where the patch is at time 0..1: shift right and down (in widths and heights of a frame), octaves
#: of zoom, right turn in radians.
Pose = tuple[Any, Any, Any, Any]
Time = NDArray[np.float64]
_SHIFT, _ZOOM, _TURN, _SWING, _ORBIT = 0.5, 1.0, math.pi / 2, 0.15, 0.2


def _move(right: float, down: float) -> Callable[[Time], Pose]:
    return lambda t: (right * _SHIFT * t, down * _SHIFT * t, 0 * t, 0 * t)


def _stop(right: float, down: float) -> Callable[[Time], Pose]:
    """Moves for half of the time, then stands."""
    move = _move(right, down)
    return lambda t: move(np.minimum(t, 0.5))


def _return(right: float) -> Callable[[Time], Pose]:
    """Moves for half of the time, then moves back."""
    move = _move(right, 0.0)
    return lambda t: move(0.5 - np.abs(t - 0.5))


def _swing(right: float, down: float, zoom: float, turn: float) -> Callable[[Time], Pose]:
    """Two whole oscillations."""

    def pose(t: Time) -> Pose:
        wave = np.sin(4 * math.pi * t)
        return right * _SWING * wave, down * _SWING * wave, zoom * wave, turn * wave

    return pose


def _orbit(direction: float) -> Callable[[Time], Pose]:
    """Once around a circle, the patch itself not turning."""

    def pose(t: Time) -> Pose:
        angle = 2 * math.pi * t
        return _ORBIT * np.sin(angle), direction * _ORBIT * np.cos(angle), 0 * t, 0 * t

    return pose


def _grow(zoom: float, turn: float) -> Callable[[Time], Pose]:
    return lambda t: (0 * t, 0 * t, zoom * _ZOOM * t, turn * _TURN * t)


#: The 27 ways to move.
MOTIONS: dict[str, Callable[[Time], Pose]] = {
    "still": _move(0, 0),
    "left": _move(-1, 0),
    "right": _move(1, 0),
    "up": _move(0, -1),
    "down": _move(0, 1),
    "up_left": _move(-1, -1),
    "up_right": _move(1, -1),
    "down_left": _move(-1, 1),
    "down_right": _move(1, 1),
    "left_stop": _stop(-1, 0),
    "right_stop": _stop(1, 0),
    "up_stop": _stop(0, -1),
    "down_stop": _stop(0, 1),
    "left_return": _return(-1),
    "right_return": _return(1),
    "zoom_in": _grow(1, 0),
    "zoom_out": _grow(-1, 0),
    "turn_left": _grow(0, -1),
    "turn_right": _grow(0, 1),
    "spiral_in": _grow(1, 1),
    "spiral_out": _grow(-1, -1),
    "circle_left": _orbit(1),
    "circle_right": _orbit(-1),
    "wave_across": _swing(1, 0, 0, 0),
    "wave_along": _swing(0, 1, 0, 0),
    "wave_zoom": _swing(0, 0, 0.4, 0),
    "wave_turn": _swing(0, 0, 0, math.pi / 6),
}
CLASSES = tuple(MOTIONS)


def load_motion(
    shape: tuple[int, ...] = (3, 16, 96, 128),
    *,
    train: int = 40,
    test: int = 10,
    seed: int = 0,
    classes: Sequence[str] = CLASSES,
) -> Dataset:
    """Clips of `shape` (channels, frames, height, width): `train` and `test` of each class.

    Images of the data set are clips, (N, frames, H, W, channels) uint8. Speed, contrast, place and
    orientation of the patch are drawn; equal arguments give equal bytes. Raises CodesignError for
    a shape that is no clip, an unknown class, and without the packages that hold the photographs.
    """
    if len(shape) != 4 or shape[0] not in (1, 3) or min(shape[1:]) < 2:
        raise CodesignError(
            f"motion: clips of shape {tuple(shape)}; give 1 or 3 channels, then frames, height and "
            "width of 2 or more"
        )
    unknown = [name for name in classes if name not in MOTIONS]
    if unknown:
        raise CodesignError(f"motion: class {unknown[0]!r} is unknown; use {', '.join(CLASSES)}")
    made = {}
    for number, (split, count) in enumerate((("train", train), ("test", test))):
        photographs = [_shrunk(_photograph(*place), shape) for place in PHOTOGRAPHS[split]]
        random = np.random.default_rng([seed, number])
        labels = np.repeat(np.arange(len(classes)), count)
        clips = np.empty((len(labels), *shape[1:], shape[0]), np.uint8)
        for clip, label in zip(clips, labels, strict=True):
            _clip(photographs, MOTIONS[classes[int(label)]], random, clip)
        made[split] = clips, labels.astype(np.int64)
    return Dataset("motion", *made["train"], *made["test"], tuple(classes))


def _photograph(package: str, folder: str, name: str) -> NDArray[np.float64]:
    """(H, W, 3) grey levels 0..255 of a photograph inside a wheel."""
    from PIL import Image

    spec = find_spec(package)
    if spec is None or spec.origin is None:
        distribution, extra = {
            "skimage": ("scikit-image", "demo"),
            "sklearn": ("scikit-learn", "train"),
        }[package]
        raise CodesignError(
            f"motion: {distribution} is not installed; pip install 'codesign[{extra}]'"
        )
    path = Path(spec.origin).parent / folder / name
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB")).astype(np.float64)
    except OSError as error:
        raise CodesignError(
            f"{path}: cannot be read ({type(error).__name__}); install scikit-image 0.25 or 0.26"
        ) from None


def _shrunk(photograph: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Averages of squares, as large as a frame needs; one channel where the clip has one."""
    channels, _, height, width = shape
    high, wide, _ = photograph.shape
    side = max(1, int(min(high / height, wide / width) / FRAMES_ACROSS))
    high, wide = high // side * side, wide // side * side
    blocks = photograph[:high, :wide].reshape(high // side, side, wide // side, side, 3)
    small: NDArray[np.float64] = blocks.mean((1, 3))
    return small if channels == 3 else small.mean(2, keepdims=True)


def _clip(
    photographs: Sequence[NDArray[np.float64]],
    motion: Callable[[Time], Pose],
    random: np.random.Generator,
    out: NDArray[np.uint8],
) -> None:
    """Draw one clip into `out`, (frames, H, W, channels)."""
    frames, height, width, _ = out.shape
    right, down, zoom, turn = motion(np.linspace(0, 1, frames))
    speed = random.uniform(0.75, 1.25)
    right, down, zoom, turn = (
        right * speed * width,
        down * speed * height,
        zoom * speed,
        turn * speed,
    )
    gain, tone = random.uniform(0.6, 1.1), random.uniform(-20, 20)
    for _ in range(TRIES):
        photograph = photographs[int(random.integers(len(photographs)))]
        turns, mirror = int(random.integers(4)), bool(random.integers(2))
        photograph = np.rot90(photograph, turns)[:, :: -1 if mirror else 1]
        # half of what the patches of all frames span, from the middle of the first
        scale = 2.0**-zoom
        half = np.hypot(height, width) / 2 * scale
        reach_y, reach_x = (float((half + np.abs(move)).max()) for move in (down, right))
        high, wide = photograph.shape[:2]
        fit = min(1.0, (high - 2) / 2 / reach_y, (wide - 2) / 2 / reach_x)
        middle_y = random.uniform(reach_y * fit, high - 1 - reach_y * fit)
        middle_x = random.uniform(reach_x * fit, wide - 1 - reach_x * fit)
        cosine, sine = np.cos(turn) * scale * fit, np.sin(turn) * scale * fit
        source = np.ascontiguousarray(photograph)
        _sample(
            source, middle_y - down * fit, middle_x - right * fit, cosine, sine, gain, tone, out
        )
        if out[0].std() >= CONTRAST:
            return


@numba.njit(cache=True)
def _sample(
    source: Any, y: Any, x: Any, cosine: Any, sine: Any, gain: float, tone: float, out: Any
) -> None:
    """Bilinear samples of `source` around (y[t], x[t]), turned and scaled; clamped at its edge."""
    frames, height, width, channels = out.shape
    high, wide, _ = source.shape
    for t in range(frames):
        for i in range(height):
            for j in range(width):
                v, u = i - (height - 1) / 2, j - (width - 1) / 2
                # a patch that turns right is read along axes that turn left
                row = min(max(y[t] + v * cosine[t] - u * sine[t], 0.0), high - 1.001)
                column = min(max(x[t] + v * sine[t] + u * cosine[t], 0.0), wide - 1.001)
                top, left = int(row), int(column)
                down, right = row - top, column - left
                for c in range(channels):
                    upper = source[top, left, c] * (1 - right) + source[top, left + 1, c] * right
                    lower = (
                        source[top + 1, left, c] * (1 - right)
                        + source[top + 1, left + 1, c] * right
                    )
                    value = (upper * (1 - down) + lower * down - 128) * gain + 128 + tone
                    out[t, i, j, c] = int(min(max(value, 0.0), 255.0) + 0.5)
