"""Input, pooling and rearrangement: layers without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn import _kernels
from codesign.nn._maps import channels_last, fusable, image_view, pixel_view
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class ImageInput(Layer):
    """An image of 8-bit pixels, N x channels x height x width, values 0..255, as it is.

    Raises CodesignError for another shape, and in evaluation for values that are not pixels.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shape = (channels, height, width)
        if min(self.shape) < 1:
            raise CodesignError(f"ImageInput: shape {self.shape} is empty; give sizes of 1 or more")

    def forward(self, x: Tensor) -> Tensor:
        """`x` itself, checked."""
        if tuple(x.shape[1:]) != self.shape:
            wanted = " x ".join(map(str, self.shape))
            raise CodesignError(
                f"ImageInput: the input has shape {tuple(x.shape)}; give N x {wanted}"
            )
        if not self.training:
            pixels = (x >= 0) & (x <= 255) & (x == torch.floor(x))  # NaN fails all three
            if not bool(pixels.all()):
                raise CodesignError(
                    "ImageInput: the input holds values that are not pixels; give integers 0 to 255"
                )
        return x

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """Nothing: the graph's input has the pixel type already."""
        return x

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: tuple[int, int]) -> Tensor:
        images, channels, high, wide = x.shape
        shape = (images, channels, high // kernel[0], wide // kernel[1])
        out = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
        _kernels.max_pool(image_view(x), *kernel, image_view(out))
        ctx.kernel = kernel
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, y = ctx.saved_tensors
        rows, columns = ctx.kernel
        whole = x.shape[2] % rows == 0 and x.shape[3] % columns == 0
        out = torch.empty_like(x) if whole else torch.zeros_like(x)
        incoming = image_view(channels_last(grad))
        _kernels.max_pool_gradient(
            image_view(x), image_view(y), rows, columns, incoming, image_view(out)
        )
        return out, None


class MaxPool2d(Layer):
    """Maximum of `kernel` x `kernel` windows, `stride` apart (default: the kernel); no padding."""

    def __init__(self, kernel: int, stride: int | None = None) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = kernel if stride is None else stride
        if kernel < 1 or self.stride < 1:
            raise CodesignError(
                f"MaxPool2d: kernel {kernel}, stride {stride}; give integers of 1 or more"
            )

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W codes -> N x C x H' x W'; the gradient goes to the first maximum."""
        if x.dim() != 4 or min(x.shape[2:]) < self.kernel:
            raise CodesignError(
                f"MaxPool2d: the input has shape {tuple(x.shape)}; give N x C x height x width "
                f"of at least {self.kernel} x {self.kernel}"
            )
        if self.kernel == self.stride and fusable(x):
            result: Tensor = _MaxPool.apply(  # type: ignore[no-untyped-call]
                channels_last(x), (self.kernel, self.kernel)
            )
            return result
        return functional.max_pool2d(x, self.kernel, self.stride)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `max_pool` node."""
        kernel, stride = (self.kernel,) * 2, (self.stride,) * 2
        return builder.node(name, "max_pool", [x], kernel=kernel, stride=stride)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"


class _Shuffle(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, groups: int) -> Tensor:
        ctx.groups = groups
        return _shuffled(x, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        # interleaving C/groups groups undoes interleaving groups
        return _shuffled(channels_last(grad), grad.shape[1] // ctx.groups), None


def _shuffled(x: Tensor, groups: int) -> Tensor:
    out = torch.empty_like(x)
    _kernels.shuffle(pixel_view(x), groups, pixel_view(out))
    return out


class ChannelShuffle(Layer):
    """`y[j * groups + g] = x[g * C/groups + j]`: interleave the channels of `groups` groups.

    Mixes what grouped convolutions keep apart (2-nqe.md 4.3). Raises CodesignError where `groups`
    does not divide the channels.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        if groups < 1:
            raise CodesignError(f"ChannelShuffle: {groups} groups; give 1 or more")
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """N x C x ... codes in another order of channels; channels-last memory stays so."""
        channels = x.shape[1]
        if channels % self.groups:
            fitting = ", ".join(str(d) for d in range(1, channels + 1) if channels % d == 0)
            raise CodesignError(
                f"ChannelShuffle: {self.groups} groups do not divide {channels} channels; "
                f"use a divisor of {channels} ({fitting})"
            )
        if fusable(x):
            result: Tensor = _Shuffle.apply(  # type: ignore[no-untyped-call]
                channels_last(x), self.groups
            )
            return result
        parts = x.reshape(x.shape[0], self.groups, channels // self.groups, *x.shape[2:])
        return parts.transpose(1, 2).reshape(x.shape)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `channel_shuffle` node."""
        return builder.node(name, "channel_shuffle", [x], groups=self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class GlobalSum(Layer):
    """Sum of each channel's map: N x C x H x W codes -> N x C integers, float32; no division."""

    def forward(self, x: Tensor) -> Tensor:
        """Exact sums."""
        if x.dim() != 4:
            raise CodesignError(
                f"GlobalSum: the input has shape {tuple(x.shape)}; give N x C x height x width"
            )
        return x.float().sum((2, 3))

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `sum_pool` node."""
        return builder.node(name, "sum_pool", [x])


class Flatten(Layer):
    """N x C x H x W -> N x (C H W), row-major."""

    def forward(self, x: Tensor) -> Tensor:
        """The same values, one row an image."""
        return x.reshape(x.shape[0], -1)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `reshape` node."""
        return builder.node(name, "reshape", [x], shape=(builder.value(x).size,))
