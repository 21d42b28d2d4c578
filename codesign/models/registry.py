"""Names of the networks, and how to make one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelEntry:
    """A network: where its builder is (`module:function`), its paper, one line about it.

    `data` names the data set that it is trained on; `options` are the builder's arguments.
    `goal` is what it is trained for: classes, or patches made again from bits.
    """

    builder: str
    paper: str
    description: str
    data: str = "cifar10"
    options: tuple[str, ...] = ("table",)
    goal: str = "classes"


#: Options of the fully binary networks: what `codesign.models.binary.BinaryOptions` holds.
_BINARY = (
    "name", "classes", "rows", "latent", "input", "thermometer", "colours", "pixel_bits", "levels",
    "blocks", "bottleneck", "hidden", "bias",
)  # fmt: skip
_HEQ = "Nguyen, Guicquero, Sicard: histogram-equalized quantization (IEEE ISCAS 2022)"

#: Every network by name; torch is imported only when one is made.
MODELS = {
    "nqe": ModelEntry(
        "codesign.models.encoder:nqe",
        "Nguyen, Guicquero, Sicard: a 1 Mb mixed-precision quantized encoder (IEEE TCSVT 2022)",
        "CIFAR-10 classifier, weights of 3 and 2 bits, at most 1,000,000 bits of them",
    ),
    "fbnn": ModelEntry(
        "codesign.models.binary:fbnn",
        "Basso-Bert, Molnos, Lemaire, Guicquero, Dupret: experience replay in fully-binary "
        "networks (arXiv 2503.07107)",
        "fully binary classifier that grows by classes: TYCC input, 3 Mb of weights",
        options=_BINARY,
    ),
    "fbnn_4mb": ModelEntry(
        "codesign.models.binary:fbnn_4mb",
        "Basso-Bert et al.: on class-incremental learning for fully binarized CNNs (ISCAS 2024)",
        "its first version: 85 thermometer levels a colour, 4.1 Mb of weights",
        options=_BINARY,
    ),
    "digits": ModelEntry(
        "codesign.models.encoder:digits",
        "the same blocks as nqe (design choice)",
        "8 x 8 digits classifier that trains in seconds, for tests and first steps",
        data="digits",
    ),
    "billnet": ModelEntry(
        "codesign.models.billnet:billnet",
        "Nguyen, Guicquero, Sicard: BILLNET, a binarized Conv3D-LSTM network (IEEE SiPS 2022)",
        "27-class recognizer of motion in clips of 16 frames, all weights of 1 bit, 0.39 Mb",
        data="motion",
        options=(
            *("n", "units", "tgap", "shape", "cell", "window", "pool", "bits", "ternary"),
            *("learned", "classes"),
        ),
    ),
    "ornet11": ModelEntry(
        "codesign.models.ornet:ornet11",
        _HEQ,
        "classifier of one-bit maps whose skips are OR gates, ternary weights, 9.52 Mb",
        options=("size", "classes", "levels"),
    ),
    "muxornet11": ModelEntry(
        "codesign.models.ornet:muxornet11",
        _HEQ,
        "ornet11 with a bit a channel that opens or closes its skips",
        options=("size", "classes", "levels"),
    ),
    "mognet": ModelEntry(
        "codesign.models.mognet:mognet",
        "Nguyen, Guicquero, Sicard: MOGNET, online-generated weights (IEEE AICAS 2022)",
        "classifier with MUX residuals, 1.51 Mb stored, 1.34 Mb made by a cellular automaton",
        options=(*("n", "m", "k", "rule", "seed", "stored", "mode", "requant", "size", "classes"),),
    ),
    "nqe_codec": ModelEntry(
        "codesign.models.codec:nqe_codec",
        "Nguyen, Guicquero, Sicard: a 1 Mb mixed-precision quantized encoder (IEEE TCSVT 2022)",
        "the encoder of nqe as a compressor: 32 x 32 pixels to 256 bits, 0.25 bit a pixel",
        goal="patches",
    ),
}


def create(name: str, **options: object) -> nn.Module:
    """The network called `name` as a torch module with fresh weights.

    Options of `nqe`, `nqe_codec` and `digits`: `table`, a YAML file or a mapping that replaces the
    default table; of `fbnn` and `fbnn_4mb`: those of `codesign.models.binary.BinaryOptions`; of the
    others: the arguments of their functions (`MODELS[name].builder`). Raises CodesignError for an
    unknown name or option, or a wrong table.
    """
    if name not in MODELS:
        raise CodesignError(f"model {name!r} is unknown; use {' or '.join(sorted(MODELS))}")
    module, function = MODELS[name].builder.split(":")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise CodesignError(
            f"model {name!r} needs torch, which is not installed; pip install 'codesign[train]'"
        ) from None
    builder = cast(Callable[..., Any], getattr(found, function))
    known = MODELS[name].options
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise CodesignError(
            f"model {name!r} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}"
        )
    return cast("nn.Module", builder(**options))
