"""Motion clips: what moves how, by a matcher that knows nothing of the drawing; clip batches."""

import numpy as np
import pytest

from codesign.errors import CodesignError
from codesign.train import motion
from codesign.train.augment import batches
from codesign.train.evaluate import as_input
from codesign.train.motion import CLASSES, MOTIONS, load_motion


@pytest.fixture(scope="module")
def data():
    return load_motion((1, 8, 24, 32), train=3, test=1, seed=5)


def warped(frame, right, down, zoom, turn):
    """A frame whose content was zoomed and turned around its centre, then shifted; NaN outside."""
    high, wide = frame.shape
    v, u = np.mgrid[:high, :wide].astype(float)
    v, u = v - (high - 1) / 2 - down, u - (wide - 1) / 2 - right
    # undo the turn: on a screen, y down, a point that turns right goes from +u towards +v
    u, v = np.cos(turn) * u + np.sin(turn) * v, -np.sin(turn) * u + np.cos(turn) * v
    v, u = v / 2**zoom + (high - 1) / 2, u / 2**zoom + (wide - 1) / 2
    row, column = np.rint(v).astype(int), np.rint(u).astype(int)
    inside = (row >= 0) & (row < high) & (column >= 0) & (column < wide)
    values = frame[np.clip(row, 0, high - 1), np.clip(column, 0, wide - 1)]
    return np.where(inside, values, np.nan)


def recognized(clip):
    """The motion whose warps of the first frame, at some speed, are nearest to the other frames."""
    frames, high, wide = clip.shape
    best = (np.inf, "")
    for name, pose in MOTIONS.items():
        for speed in (0.8, 1.0, 1.2):
            path = np.array(pose(np.linspace(0, 1, frames))) * speed
            path -= path[:, :1] * np.array(
                [[1], [1], [0], [0]]
            )  # an orbit begins beside its middle
            right, down, zoom, turn = path
            error = [
                np.nanmean(np.abs(warped(clip[0], right[t] * wide, down[t] * high, zoom[t], turn[t])
                                  - clip[t]))
                for t in range(1, frames)
            ]  # fmt: skip
            best = min(best, (float(np.mean(error)), name))
    return best[1]


def test_each_class_moves_as_it_is_called(data):
    assert len(CLASSES) == len(set(CLASSES)) == 27
    found = [recognized(clip[..., 0].astype(float)) for clip in data.x_test]
    right = sum(CLASSES[label] == name for label, name in zip(data.y_test, found, strict=True))
    assert right >= 0.9 * len(found)


def test_directions_are_those_of_the_screen():
    at_end = {name: [float(part[-1]) for part in pose(np.linspace(0, 1, 9))]
              for name, pose in MOTIONS.items()}  # fmt: skip
    assert at_end["right"][0] > 0 > at_end["left"][0]
    assert at_end["down"][1] > 0 > at_end["up"][1]
    assert at_end["zoom_in"][2] > 0 > at_end["zoom_out"][2]
    assert at_end["turn_right"][3] > 0 > at_end["turn_left"][3]
    assert at_end["left_return"] == at_end["still"]


def test_clips_are_bytes_of_a_seed_and_the_splits_share_no_photograph(data):
    again = load_motion((1, 8, 24, 32), train=3, test=1, seed=5)
    other = load_motion((1, 8, 24, 32), train=3, test=1, seed=6)
    assert np.array_equal(data.x_train, again.x_train)
    assert np.array_equal(data.x_test, again.x_test)
    assert not np.array_equal(data.x_train, other.x_train)
    assert data.x_train.shape == (81, 8, 24, 32, 1)
    assert data.x_test.shape == (27, 8, 24, 32, 1)
    assert data.x_train.dtype == np.uint8
    assert data.y_train.tolist() == np.repeat(np.arange(27), 3).tolist()
    assert not set(motion.PHOTOGRAPHS["train"]) & set(motion.PHOTOGRAPHS["test"])
    assert np.median(data.x_test[:, 0].std((1, 2, 3))) >= motion.CONTRAST


def test_colour_and_chosen_classes():
    found = load_motion((3, 4, 16, 16), train=2, test=1, classes=("up", "still"))
    assert found.classes == ("up", "still")
    assert found.x_train.shape == (4, 4, 16, 16, 3)
    still = found.x_train[2:]
    assert np.array_equal(still, np.repeat(still[:, :1], 4, axis=1))
    assert (found.x_train[..., 0] != found.x_train[..., 2]).any()
    assert as_input(found.x_train).shape == (4, 3, 4, 16, 16)
    assert as_input(found.x_train)[1, 2, 3, 4, 5] == found.x_train[1, 3, 4, 5, 2]


def test_batches_of_clips_move_all_frames_alike(data):
    seen = []
    for clips, labels in batches(
        data.x_train, data.y_train, batch=27, seed=1, epoch=2, pad=3, flip=False
    ):
        assert clips.shape == (27, 8, 24, 32, 1)
        for clip, label in zip(clips, labels, strict=True):
            origin = [
                (down, right)
                for original in data.x_train[data.y_train == label]
                for down in range(7)
                for right in range(7)
                if np.array_equal(
                    np.pad(original, ((0, 0), (3, 3), (3, 3), (0, 0)))[
                        :, down : down + 24, right : right + 32
                    ],
                    clip,
                )
            ]
            assert len(origin) == 1
            seen += origin
    assert len(seen) == 81
    assert len(set(seen)) > 20


def test_refusals(data, monkeypatch):
    def refuse(message, **options):
        with pytest.raises(CodesignError) as error:
            load_motion(**options)
        assert str(error.value) == message

    refuse(
        "motion: clips of shape (2, 4, 8, 8); give 1 or 3 channels, then frames, height and width "
        "of 2 or more",
        shape=(2, 4, 8, 8),
    )
    refuse(
        "motion: class 'sideways' is unknown; use " + ", ".join(CLASSES),
        classes=("up", "sideways"),
    )
    monkeypatch.setattr(motion, "find_spec", lambda name: None)
    refuse(
        "motion: scikit-image is not installed; pip install 'codesign[demo]'", shape=(1, 2, 8, 8)
    )
    with pytest.raises(CodesignError) as error:
        next(batches(data.x_train, data.y_train, batch=9, seed=0, epoch=0, pad=1, flip=True))
    assert str(error.value) == (
        "training: flip is True, the classes of clips may be left and right; give flip False"
    )
