"""Feature maps as the compiled passes see them: NumPy views of channels-last tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Floats a map may travel in; bfloat16 holds codes up to 256 exactly.
DTYPES = (torch.float32, torch.bfloat16)


def fusable(x: Tensor) -> bool:
    """Whether the compiled passes take this tensor: an N C H W map on the CPU."""
    return x.dim() == 4 and x.device.type == "cpu" and x.dtype in DTYPES and x.numel() > 0


def channels_last(x: Tensor) -> Tensor:
    """`x` in channels-last memory; itself where it already is."""
    return x.contiguous(memory_format=torch.channels_last)


def image_view(x: Tensor) -> NDArray[Any]:
    """(N, H, W, C) view of a channels-last map; bfloat16 seen as uint16."""
    view = x.detach().permute(0, 2, 3, 1)
    if x.dtype == torch.bfloat16:
        return np.asarray(view.view(torch.int16).numpy()).view(np.uint16)
    return np.asarray(view.numpy())


def pixel_view(x: Tensor) -> NDArray[Any]:
    """(pixels, C) view of a channels-last map; bfloat16 seen as uint16."""
    view = image_view(x)
    return view.reshape(-1, view.shape[3])
