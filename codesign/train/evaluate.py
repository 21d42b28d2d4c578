"""Integer scores of a network, by torch in evaluation mode."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

#: Images in one evaluation step.
EVALUATION_BATCH = 250


def as_input(images: NDArray[np.uint8], dtype: torch.dtype = torch.float32) -> Tensor:
    """(N, H, W, C) pixels as an N x C x H x W tensor in channels-last memory; clips likewise."""
    axes = range(1, images.ndim - 1)
    return torch.from_numpy(images).to(dtype).permute(0, images.ndim - 1, *axes)


@torch.no_grad()
def scores(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Integer scores of (N, H, W, C) images, or clips, by the network in evaluation mode."""
    network.eval()
    parts = [
        network(as_input(images[start : start + EVALUATION_BATCH]))
        for start in range(0, len(images), EVALUATION_BATCH)
    ]
    return torch.cat(parts).numpy().astype(np.int32)


def correct(network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> int:
    """How many images get their label: the first greatest score, as the exported program has it."""
    return int((scores(network, images).argmax(axis=1) == labels).sum())
