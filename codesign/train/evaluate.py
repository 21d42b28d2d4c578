"""Integer scores of a network, by torch in evaluation mode."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

#: Pixels in one evaluation step: 250 images of CIFAR-10, one clip of 16 x 96 x 128.
EVALUATION_BYTES = 250 * 3 * 32 * 32


def as_input(images: NDArray[np.uint8], dtype: torch.dtype = torch.float32) -> Tensor:
    """(N, H, W, C) pixels as an N x C x H x W tensor in channels-last memory; clips likewise."""
    axes = range(1, images.ndim - 1)
    return torch.from_numpy(images).to(dtype).permute(0, images.ndim - 1, *axes)


def scores(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Integer scores of (N, H, W, C) images, or clips, by the network in evaluation mode."""
    return _outputs(network, images).astype(np.int32)


@torch.no_grad()
def _outputs(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    network.eval()
    batch = max(1, EVALUATION_BYTES // images[0].size)
    parts = [
        network(as_input(images[start : start + batch])) for start in range(0, len(images), batch)
    ]
    return np.asarray(torch.cat(parts).float().numpy())


def correct(network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> int:
    """How many images get their label: the first greatest score, as the exported program has it.

    Scores may still be floats: an early stage of training has no integers.
    """
    return int((_outputs(network, images).argmax(axis=1) == labels).sum())
