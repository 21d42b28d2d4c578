"""The float twin of a program: the same topology in PyTorch, as one would write it there.

Convolutions and linear layers keep their shapes and get float weights; a rescaling with its
activation becomes a bias and a clamp, thresholds a batch normalization folded into the weights and
a clamp, a recurrent layer torch's own. With `fake_quant` it is the network as it is trained:
weights and activations are floats that are rounded to their levels in every run. Its numbers mean
nothing: it is there to be timed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.ir import Graph, Node

#: Operations that disappear in a float network: folded into the convolution's bias and clamp.
_FOLDED = {"bit_shift_norm"}
_CLAMPS = {"hwmsb", "heaviside", "sign", "clip", "threshold"}
_PRODUCTS = {"conv", "wide_conv", "linear"}


class Twin(nn.Module):
    """Runs the twin of `graph`; inputs N x C x ... floats, outputs of the graph's first output."""

    def __init__(self, graph: Graph, *, fake_quant: bool = False) -> None:
        super().__init__()
        self.program, self.fake_quant = graph, fake_quant
        self.weights, self.recurrent = nn.ParameterDict(), nn.ModuleDict()
        for node in graph.nodes:
            if node.op in _PRODUCTS:
                shape = graph.values[node.inputs[1]].shape
                self.weights[_key(node)] = nn.Parameter(torch.randn(shape) * 0.1)
                self.weights[_key(node) + "_bias"] = nn.Parameter(torch.zeros(shape[0]))
            elif node.op in ("lstm", "gru"):
                kind = nn.LSTM if node.op == "lstm" else nn.GRU
                features, units = (graph.values[name].shape[-1] for name in node.inputs[:2])
                self.recurrent[_key(node)] = kind(features, units, batch_first=True)
            elif node.op == "thermometer":
                counts: Any = node.attrs["counts"]
                levels = torch.linspace(0, 255, sum(counts)).reshape(-1, 1, 1)
                self.register_buffer(_key(node), levels)

    def forward(self, *images: Tensor) -> Tensor:
        """Every node that the first output needs, in order."""
        values: dict[str, Any] = dict(zip(self.program.inputs, images, strict=True))
        for node in self.program.nodes:
            if not self.program.values[node.name].is_constant:
                values[node.name] = self._node(node, values)
                if self.fake_quant and node.op in _CLAMPS:
                    values[node.name] = torch.round(values[node.name])
        result: Tensor = values[self.program.outputs[-1]]
        return result

    def _node(self, node: Node, values: dict[str, Any]) -> Any:
        attrs: Any = node.attrs
        x = values[node.inputs[0]]
        if node.op in _PRODUCTS:
            weight, bias = self.weights[_key(node)], self.weights[_key(node) + "_bias"]
            if self.fake_quant:
                code = self.program.values[node.inputs[1]].type
                weight = torch.round(torch.clamp(weight * 10, code.lo, code.hi)) * 0.1
            if node.op == "linear":
                return functional.linear(x, weight, bias)
            convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[x.dim() - 3]
            return convolve(x, weight, bias, attrs["stride"], attrs["padding"], 1, attrs["groups"])
        if node.op in ("lstm", "gru"):
            return self.recurrent[_key(node)](x)[0]
        if node.op == "thermometer":
            levels, counts = getattr(self, _key(node)), attrs["counts"]
            parts = torch.split(levels, counts)
            bits = [(x[:, n : n + 1] > part).to(x.dtype) for n, part in enumerate(parts)]
            return torch.cat(bits, 1)
        if node.op in _FOLDED:
            return x
        if node.op in _CLAMPS:
            return x.clamp(0, 1)
        return _plain(node, attrs, [values.get(name) for name in node.inputs])


def _plain(node: Node, attrs: Any, maps: list[Any]) -> Any:
    """The operations that a float network has as they are."""
    x = maps[0]
    if node.op == "max_pool":
        pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[x.dim() - 3]
        return pool(x, attrs["kernel"], attrs["stride"])
    if node.op == "sum_pool":
        return x.mean((2, 3))
    if node.op == "channel_shuffle":
        if not torch.onnx.is_in_onnx_export():
            return functional.channel_shuffle(x, attrs["groups"])
        parts = x.reshape(x.shape[0], attrs["groups"], -1, *x.shape[2:])
        return parts.transpose(1, 2).reshape(x.shape)
    if node.op == "reshape":
        return x.reshape(x.shape[0], *attrs["shape"])
    if node.op in ("bit_or", "maximum"):
        return torch.maximum(x, maps[1])
    if node.op == "shift_add":
        return (x + maps[1]) * 0.5
    if node.op == "mux":
        select = maps[2].reshape(*maps[2].shape, *[1] * (x.dim() - maps[2].dim()))
        return torch.where(select > 0.5, x, maps[1])
    if node.op == "tgap":
        axes = tuple(range(2 + attrs["frames"], x.dim()))
        return (x.mean(axes) > 0.5).to(x.dtype)
    if node.op == "concat":
        return torch.cat(maps[:2], attrs["axis"] + 1)
    if node.op == "repeat":
        return torch.cat([x] * attrs["times"], attrs["axis"] + 1)
    if node.op == "argmax":
        return x.argmax(1)
    if node.op == "ycbcr":
        matrix = torch.eye(3, dtype=x.dtype, device=x.device).reshape(3, 3, 1, 1)
        return functional.conv2d(x, matrix)
    if node.op == "transpose":
        return x.permute(0, *(axis + 1 for axis in attrs["axes"]))
    if node.op == "lstm_hidden":
        return x
    if node.op == "fill":
        return x.new_full((x.shape[0], *attrs["shape"]), attrs["code"])
    raise NotImplementedError(node.op)


def _key(node: Node) -> str:
    return node.name.replace(".", "_")
