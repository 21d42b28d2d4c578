"""What a network is trained for: the loss, the measure, and the part that only training has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from codesign.train.evaluate import as_input, correct


class Goal(nn.Module):
    """Loss and measure; its parameters are trained with the network and are no part of it."""

    def loss(self, outputs: Tensor, images: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        """What a step makes smaller; `images` are N x C x ... pixels 0..255."""
        raise NotImplementedError

    def measure(
        self, network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]
    ) -> dict[str, Any]:
        """How good `network` is on test images: numbers of the metrics, `test_images` first."""
        raise NotImplementedError

    def describe(self, found: Mapping[str, Any]) -> str:
        """What `measure` found, for people."""
        raise NotImplementedError


class ScoreScale(Goal):
    """Classes: cross-entropy of the integer scores, which a scale turns into logits.

    The first batch sets the scale to one over the scores' deviation; then it is learned. A network
    whose topology sets the scale has it `fixed`.
    """

    ready: Tensor

    def __init__(self, fixed: float | None = None) -> None:
        super().__init__()
        exponent = 0.0 if fixed is None else math.log(fixed)
        self.exponent = nn.Parameter(torch.tensor(exponent), requires_grad=fixed is None)
        self.register_buffer("ready", torch.tensor(fixed is not None))

    def forward(self, scores: Tensor) -> Tensor:
        """Logits of the same shape."""
        if not bool(self.ready):
            with torch.no_grad():
                self.exponent.fill_(-math.log(max(float(scores.std()), 1.0)))
                self.ready.fill_(True)
        return scores * self.exponent.exp()

    def loss(self, outputs: Tensor, images: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        """Cross-entropy with label smoothing."""
        return functional.cross_entropy(self(outputs), labels, label_smoothing=smoothing)

    def measure(
        self, network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]
    ) -> dict[str, Any]:
        """Images that get their label."""
        right, count = correct(network, images, labels), len(images)
        accuracy = round(right / count, 6)
        return {"test_images": count, "test_correct": right, "test_accuracy": accuracy}

    def describe(self, found: Mapping[str, Any]) -> str:
        """Share of the images that were right."""
        return f"{found['test_accuracy']:.2%} of {found['test_images']:,}"


class Reconstruction(Goal):
    """Compression: a decoder on the host makes the patch again from its bits (2-nqe.md 4.5).

    Floating point, and small (design choice, in place of the full-frame PURENET): bits -1, +1 to
    `width` channels, then three times a residual block and a pixel shuffle by 2, to the patch's
    channels. The loss is the mean square error of pixels 0..1; the measure is the peak signal to
    noise ratio in dB of all test patches together, 8-bit pixels.
    """

    def __init__(self, bits: int, channels: int, doublings: int, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(bits, width, 1)]
        for _ in range(doublings):
            layers += [_Block(width), nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(2)]
        self.decoder = nn.Sequential(*layers, _Block(width), nn.Conv2d(width, channels, 3, 1, 1))

    def forward(self, bits: Tensor) -> Tensor:
        """N x bits x h x w of 0, 1 -> N x C x H x W, about 0..1."""
        result: Tensor = self.decoder(bits.float() * 2 - 1)
        return result + 0.5

    def loss(self, outputs: Tensor, images: Tensor, labels: Tensor, smoothing: float) -> Tensor:
        """Mean square error."""
        return functional.mse_loss(self(outputs), images.float() / 255)

    @torch.no_grad()
    def measure(
        self, network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]
    ) -> dict[str, Any]:
        """PSNR of the patches made from the evaluated network's bits."""
        network.eval()
        total, size = 0, 250
        for start in range(0, len(images), size):
            patch = as_input(images[start : start + size])
            decoded = torch.floor(self(network(patch)).clamp(0, 1) * 255 + 0.5)
            total += int((decoded - patch).square().double().sum())
        error = max(total, 1) / images.size
        psnr = round(10 * math.log10(255**2 / error), 4)
        return {"test_images": len(images), "test_psnr": psnr}

    def describe(self, found: Mapping[str, Any]) -> str:
        """The ratio, and of how many patches."""
        return f"{found['test_psnr']:.2f} dB on {found['test_images']:,} patches"


class _Block(nn.Module):
    """Two 3x3 convolutions beside a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second(functional.relu(self.first(functional.relu(x))))
        return result


def classes(network: nn.Module) -> Goal:
    """The goal of a classifier."""
    return ScoreScale(getattr(network, "score_scale", None))


def patches(network: nn.Module) -> Goal:
    """The goal of a codec."""
    codec: Any = network
    bits, pixels = codec.bits_per_place, codec.bits_per_place / codec.bits_per_pixel
    return Reconstruction(bits, codec.table.input[0], round(math.log2(pixels) / 2))


#: Goals by the name that a network's entry has.
GOALS: dict[str, Callable[[nn.Module], Goal]] = {"classes": classes, "patches": patches}
