"""Torch layers whose evaluation is an integer program, bit for bit."""

from codesign.nn.activations import HWMSB, Activation, Heaviside, Saturate, Sign
from codesign.nn.arrange import Concat, Repeat, Reshape, Slice, Transpose
from codesign.nn.base import Layer
from codesign.nn.binarizer import HeavisideBinarizer, ThermometerBinarizer, bit_balance
from codesign.nn.binary import LGAP, BinaryConv2d, BinaryLinear
from codesign.nn.coding import TYCC, Thermometer, YCbCr, fit_levels, quantile_levels, uniform_levels
from codesign.nn.conv import QuantConv1d, QuantConv2d, QuantConv3d
from codesign.nn.factor import CF, CFLOG
from codesign.nn.generated import Automaton, GeneratedConv2d, GeneratedConv3d
from codesign.nn.growing import GrowableClassifier, GrowableLinear
from codesign.nn.inputs import ClipInput, ImageInput, Input, network_inputs
from codesign.nn.linear import QuantLinear
from codesign.nn.logic import LogicBlock
from codesign.nn.mor import MOR
from codesign.nn.mrb import MRB
from codesign.nn.norm import BitShiftNorm
from codesign.nn.recurrent import LSTMHidden, QuantGRU, QuantLSTM
from codesign.nn.residual import BitAnd, BitOr, Maximum, Mux, ShiftAdd
from codesign.nn.sequence import FrameVectors, SequenceSum
from codesign.nn.shape import ChannelShuffle, Flatten, GlobalSum, MaxPool2d, MaxPool3d
from codesign.nn.tgap import TGAP
from codesign.nn.threshold import ThresholdNorm
from codesign.nn.weights import QuantizedWeights

__all__ = [
    "CF",
    "CFLOG",
    "HWMSB",
    "LGAP",
    "MOR",
    "MRB",
    "TGAP",
    "TYCC",
    "Activation",
    "Automaton",
    "BinaryConv2d",
    "BinaryLinear",
    "BitAnd",
    "BitOr",
    "BitShiftNorm",
    "ChannelShuffle",
    "ClipInput",
    "Concat",
    "Flatten",
    "FrameVectors",
    "GeneratedConv2d",
    "GeneratedConv3d",
    "GlobalSum",
    "GrowableClassifier",
    "GrowableLinear",
    "Heaviside",
    "HeavisideBinarizer",
    "ImageInput",
    "Input",
    "LSTMHidden",
    "Layer",
    "LogicBlock",
    "MaxPool2d",
    "MaxPool3d",
    "Maximum",
    "Mux",
    "QuantConv1d",
    "QuantConv2d",
    "QuantConv3d",
    "QuantGRU",
    "QuantLSTM",
    "QuantLinear",
    "QuantizedWeights",
    "Repeat",
    "Reshape",
    "Saturate",
    "SequenceSum",
    "ShiftAdd",
    "Sign",
    "Slice",
    "Thermometer",
    "ThermometerBinarizer",
    "ThresholdNorm",
    "Transpose",
    "YCbCr",
    "bit_balance",
    "fit_levels",
    "network_inputs",
    "quantile_levels",
    "uniform_levels",
]
