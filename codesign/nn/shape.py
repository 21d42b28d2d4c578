"""Pooling and rearrangement of maps: layers without parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn import _kernels
from codesign.nn._maps import channels_last, fusable, image_view, pixel_view
from codesign.nn.base import Layer
from codesign.nn.conv import Sizes

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


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


class _MaxPooling(Layer):
    """What max-pools share: windows along `axes`, no padding."""

    axes: ClassVar[tuple[str, ...]]
    _pool: ClassVar[Callable[..., Tensor]]

    def __init__(self, kernel: Sizes, stride: Sizes | None = None) -> None:
        super().__init__()
        step, count = kernel if stride is None else stride, len(self.axes)
        self.kernel, self.stride = (
            (sizes,) * count if isinstance(sizes, int) else tuple(sizes) for sizes in (kernel, step)
        )
        if any(len(sizes) != count or min(sizes) < 1 for sizes in (self.kernel, self.stride)):
            raise CodesignError(
                f"{type(self).__name__}: kernel {kernel}, stride {stride}; "
                "give integers of 1 or more"
            )

    def forward(self, x: Tensor) -> Tensor:
        """N x C x sizes codes -> N x C x sizes'; the gradient goes to the first maximum."""
        if x.dim() != 2 + len(self.axes) or any(
            size < window for size, window in zip(x.shape[2:], self.kernel, strict=True)
        ):
            least = " x ".join(map(str, self.kernel))
            raise CodesignError(
                f"{type(self).__name__}: the input has shape {tuple(x.shape)}; give N x C x "
                f"{' x '.join(self.axes)} of at least {least}"
            )
        if self.kernel == self.stride and fusable(x):
            result: Tensor = _MaxPool.apply(  # type: ignore[no-untyped-call]
                channels_last(x), self.kernel
            )
            return result
        return self._pool(x, self.kernel, self.stride)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `max_pool` node."""
        return builder.node(name, "max_pool", [x], kernel=self.kernel, stride=self.stride)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"


class MaxPool2d(_MaxPooling):
    """Maximum of windows of an image, `stride` apart (default: the kernel); no padding.

    `kernel` and `stride` are one integer, or (rows, columns). OR on one bit.
    """

    axes = ("height", "width")
    _pool = staticmethod(functional.max_pool2d)


class MaxPool3d(_MaxPooling):
    """Maximum of windows of a clip: `kernel` and `stride` are (frames, rows, columns)."""

    axes = ("frames", "height", "width")
    _pool = staticmethod(functional.max_pool3d)


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
