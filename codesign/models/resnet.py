"""ResNet-18 in floating point with a 3x3 stem: the example of a backbone that stays on the host."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from codesign.errors import CodesignError

#: (channels, stride) of the four stages, two blocks each.
_STAGES = ((1, 1), (2, 2), (4, 2), (8, 2))


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, a 1x1 convolution where the shape changes."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)
        self.shortcut = nn.Sequential()
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """Features of a small image: N x channels x H x W floats -> N x (8 width) floats, all >= 0.

    He et al. (2016), with one 3x3 convolution of stride 1 in place of the 7x7 stem and its pool,
    as usual for 32 x 32 pixels (6-gbm.md 4.6); the mean of the last map, no classifier. `width` 64
    is the published network, with 512 features.
    """

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks, depth = nn.Sequential(), width
        for times, stride in _STAGES:
            for step in (stride, 1):
                blocks.append(_Block(depth, times * width, step))
                depth = times * width
        self.blocks = blocks
        self.features = depth

    def forward(self, x: Tensor) -> Tensor:
        """The feature vectors."""
        maps: Tensor = self.blocks(torch.relu(self.norm(self.stem(x))))
        return maps.mean((2, 3))


def count_macs(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of torch's convolutions and dense layers for one input of this shape.

    Raises CodesignError where the module cannot take the shape.
    """
    total = 0

    def add(layer: Any, arguments: Any, result: Tensor) -> None:
        nonlocal total
        total += result[0].numel() * layer.weight[0].numel()

    hooks = [
        layer.register_forward_hook(add)
        for layer in module.modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    modes = {layer: layer.training for layer in module.modules()}
    try:
        with torch.no_grad():
            module.eval()(torch.zeros(1, *shape))
    except RuntimeError as error:
        raise CodesignError(
            f"{type(module).__name__}: cannot take an input of shape {shape} "
            f"({str(error).splitlines()[0].lower()}); give the shape of one image"
        ) from None
    finally:
        for hook in hooks:
            hook.remove()
        for layer, training in modes.items():
            layer.training = training
    return total
