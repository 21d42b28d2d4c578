"""Programs with random weights: the common VGG, ResNet-18's topology, two convolutions alone."""

from __future__ import annotations

import numpy as np

from codesign.ir import Graph, GraphBuilder, IntType, code_set


class Layers:
    """Adds layers to a builder: weights of `levels` levels, codes of `bits` bits."""

    def __init__(self, name: str, bits: int = 2, levels: int = 3) -> None:
        self.builder, self.bits, self.weights = GraphBuilder(name), bits, code_set(levels)
        self.random = np.random.default_rng(0)

    def conv(
        self,
        name: str,
        x: str,
        width: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        padded: bool = True,
    ) -> str:
        """Convolution, bias and shift, activation."""
        depth = self.builder.value(x).shape[0]
        weight = self._weight(name, width, depth, kernel, kernel)
        padding = (kernel // 2 if padded else 0,) * 2
        y = self.builder.node(name, "conv", [x, weight], stride=(stride,) * 2, padding=padding)
        return self._activate(name, y, depth * kernel**2)

    def linear(self, name: str, x: str, width: int, *, last: bool = False) -> str:
        """Fully connected layer; the `last` has no activation."""
        features = self.builder.value(x).size
        y = self.builder.node(name, "linear", [x, self._weight(name, width, features)])
        return y if last else self._activate(name, y, features)

    def _weight(self, name: str, *shape: int) -> str:
        index = self.random.integers(0, self.weights.count, shape)
        codes = self.weights.lo + self.weights.step * index
        return self.builder.constant(f"{name}.weight", codes, self.weights)

    def _activate(self, name: str, x: str, fan_in: int) -> str:
        shift = max(0, int(np.log2(np.sqrt(fan_in) * (1 << self.bits))) - self.bits + 1)
        codes = self.random.integers(0, 2 << shift, self.builder.value(x).shape[0])
        bias = self.builder.constant(f"{name}.bias", codes, IntType(0, (2 << shift) - 1))
        y = self.builder.node(f"{name}.norm", "bit_shift_norm", [x, bias], shift=shift)
        return self.builder.node(f"{name}.act", "hwmsb", [y], bits=self.bits, shift=0)


def cnv(levels: int, bits: int) -> Graph:
    """A VGG of six 3x3 convolutions without padding and three linear layers, 32 x 32 x 3 in.

    The size that quantized-network tools commonly measure: 57.9 M MAC of convolutions and 1.6 M of
    linear layers, every weight of `levels` levels, activations of `bits` bits.
    """
    layers = Layers(f"cnv_{bits}b", bits, levels)
    builder = layers.builder
    x = builder.input("image", (3, 32, 32), IntType(0, 255))
    for number, width in enumerate((64, 64, 128, 128, 256, 256), start=1):
        x = layers.conv(f"conv{number}", x, width, padded=False)
        if number in (2, 4):
            x = builder.node(f"pool{number}", "max_pool", [x])
    x = builder.node("flat", "reshape", [x], shape=(builder.value(x).size,))
    x = layers.linear("fc2", layers.linear("fc1", x, 512), 512)
    builder.output(layers.linear("fc3", x, 10, last=True))
    return builder.build()


def pair(size: int, channels: int) -> Graph:
    """Two 3x3 convolutions of `channels` to `channels` on a square map of 2-bit codes."""
    layers = Layers(f"pair_{size}_{channels}")
    x = layers.builder.input("image", (channels, size, size), IntType(0, 3))
    layers.builder.output(layers.conv("second", layers.conv("first", x, channels), channels))
    return layers.builder.build()


def resnet18() -> Graph:
    """The topology of ResNet-18 on 224 x 224: 11.7 M ternary weights, 1.8 G MAC."""
    layers = Layers("resnet18")
    builder = layers.builder
    x = builder.input("image", (3, 224, 224), IntType(0, 255))
    x = builder.node("pool", "max_pool", [layers.conv("stem", x, 64, 7, 2)])
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            name, stride = f"stage{stage}.{block}", 2 if stage > 1 and block == 1 else 1
            y = layers.conv(f"{name}.a", x, width, 3, stride)
            y = layers.conv(f"{name}.b", y, width)
            if stride == 2:
                x = layers.conv(f"{name}.skip", x, width, 1, 2)
            x = builder.node(f"{name}.join", "shift_add", [y, x])
    x = builder.node("mean", "sum_pool", [x])
    builder.output(layers.linear("fc", x, 1000, last=True))
    return builder.build()
