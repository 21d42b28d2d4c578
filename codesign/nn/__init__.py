"""Torch layers whose evaluation is an integer program, bit for bit."""

from codesign.nn.activations import HWMSB, Activation, Heaviside, Sign
from codesign.nn.base import Layer
from codesign.nn.conv import QuantConv2d
from codesign.nn.linear import QuantLinear
from codesign.nn.norm import BitShiftNorm
from codesign.nn.shape import ChannelShuffle, Flatten, GlobalSum, ImageInput, MaxPool2d
from codesign.nn.weights import QuantizedWeights

__all__ = [
    "HWMSB",
    "Activation",
    "BitShiftNorm",
    "ChannelShuffle",
    "Flatten",
    "GlobalSum",
    "Heaviside",
    "ImageInput",
    "Layer",
    "MaxPool2d",
    "QuantConv2d",
    "QuantLinear",
    "QuantizedWeights",
    "Sign",
]
