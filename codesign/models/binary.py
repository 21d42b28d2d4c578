"""Fully binary networks for class-incremental learning: thermometer in, integer scores out.

Every layer between is +/-1 weights on +/-1 codes; nothing is a real number at inference, not the
first layer, not the last, and there is no batch normalization (5-fbnn.md 1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn import (
    LGAP,
    TYCC,
    BinaryConv2d,
    BinaryLinear,
    Flatten,
    GrowableClassifier,
    GrowableLinear,
    ImageInput,
    Thermometer,
    uniform_levels,
)
from codesign.nn.weights import QuantizedWeights

#: Classes of a network whose data is CIFAR-10, in the order of their labels.
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
#: How a map becomes a vector before the latent layer.
BOTTLENECKS = ("depthwise", "lgap")


@dataclass(frozen=True)
class BinaryOptions:
    """A fully binary network in numbers.

    Attributes:
        name: of the exported program.
        classes: names of the classes in use at first, in the order of their rows.
        rows: rows of the classifier that are allocated, for classes to come.
        latent: bits of the latent vector, which latent replay stores.
        input: channels, height and width of the 8-bit image.
        thermometer: levels of each component.
        colours: "ycbcr" codes luminance and chroma (TYCC), "as given" the channels themselves.
        pixel_bits: bits of a pixel that the uniform levels look at.
        levels: ascending integers of each component in place of the uniform ones.
        blocks: (channels, groups) of each block: two 3x3 convolutions, then a 2x2 max-pool.
        bottleneck: "depthwise", a 2x2 window of stride 2, or "lgap", one as large as the map.
        hidden: binary features of the classifier's non-linear path; 0 leaves it out.
        bias: whether layers before the classifier have an integer bias each output.
    """

    name: str
    classes: Sequence[str] = CIFAR10
    rows: int = 50
    latent: int = 512
    input: tuple[int, int, int] = (3, 32, 32)
    thermometer: tuple[int, ...] = (96, 48, 48)
    colours: str = "ycbcr"
    pixel_bits: int = 8
    levels: Sequence[Sequence[int]] | None = None
    blocks: tuple[tuple[int, int], ...] = ((128, 1), (256, 2), (512, 4))
    bottleneck: str = "depthwise"
    hidden: int = 128
    bias: bool = False

    def __post_init__(self) -> None:
        for what, value, known in (
            ("colours", self.colours, ("ycbcr", "as given")),
            ("bottleneck", self.bottleneck, BOTTLENECKS),
        ):
            if value not in known:
                raise CodesignError(
                    f"{self.name}: {what} is {value!r}; give {' or '.join(map(repr, known))}"
                )
        if len(self.thermometer) != self.input[0]:
            raise CodesignError(
                f"{self.name}: thermometer has {len(self.thermometer)} numbers, the image "
                f"{self.input[0]} channels; give one a channel"
            )
        if not 1 <= len(self.classes) <= self.rows or len(set(self.classes)) != len(self.classes):
            raise CodesignError(
                f"{self.name}: {len(self.classes)} classes, {len(set(self.classes))} of them "
                f"different, {self.rows} rows; give 1 to {self.rows} different names"
            )
        least = 2 ** len(self.blocks) * (2 if self.bottleneck == "depthwise" else 1)
        if any(size % least for size in self.input[1:]):
            raise CodesignError(
                f"{self.name}: {len(self.blocks)} blocks and the bottleneck shrink the map "
                f"{least} times, the image has {self.input[1]} x {self.input[2]}; "
                f"give multiples of {least}"
            )


class BinaryNetwork(nn.Sequential):
    """The network of some `BinaryOptions`: N x C x H x W pixels -> N x grown integer scores.

    `embed` gives the latent vector that `classifier` reads. `grow` adds classes. `metadata` names
    the classes in use and travels into the exported program.
    """

    classifier: GrowableClassifier

    def __init__(self, options: BinaryOptions) -> None:
        super().__init__(_layers(options))
        self.options, self.names = options, list(options.classes)

    def embed(self, x: Tensor) -> Tensor:
        """The latent vector of pixels: N x latent codes +/-1."""
        for layer in list(self)[:-1]:
            x = layer(x)
        return x

    def grow(self, names: Sequence[str]) -> None:
        """Use the next rows for the classes `names`; CodesignError for a class that is there."""
        again = [name for name in names if name in self.names or list(names).count(name) > 1]
        if again:
            raise CodesignError(
                f"{self.options.name}: class {again[0]!r} has a row already; give new names"
            )
        self.classifier.grow(len(self.names) + len(names))
        self.names += names

    @property
    def score_scale(self) -> float:
        """What turns scores into logits for the loss (5-fbnn.md 1, slides)."""
        return self.classifier.rows.score_scale

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts for the exported program."""
        return {
            "name": self.options.name,
            "classes": list(self.names),
            "input": "image",
            "preprocessing": "8-bit pixels 0..255, channels x height x width, no scaling",
        }


def _layers(options: BinaryOptions) -> OrderedDict[str, nn.Module]:
    """Input coding, blocks, bottleneck, latent layer, classifier."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["image"] = ImageInput(*options.input)
    layers["coding"] = _coding(options)
    depth, size, bias = sum(options.thermometer), options.input[1:], options.bias
    for block, (channels, groups) in enumerate(options.blocks, start=1):
        for letter, pool in (("a", 1), ("b", 2)):
            layers[f"conv{block}{letter}"] = BinaryConv2d(
                depth, channels, 3, padding=1, groups=groups, bias=bias, pool=pool
            )
            depth = channels
        size = (size[0] // 2, size[1] // 2)
    if options.bottleneck == "lgap":
        layers["bottleneck"], size = LGAP(depth, size, bias), (1, 1)
    else:
        layers["bottleneck"] = BinaryConv2d(depth, depth, 2, 2, groups=depth, bias=bias)
        size = (size[0] // 2, size[1] // 2)
    layers["flat"] = Flatten()
    layers["latent"] = BinaryLinear(depth * size[0] * size[1], options.latent, bias)
    layers["classifier"] = GrowableClassifier(
        options.latent, options.rows, len(options.classes), options.hidden
    )
    return layers


def _coding(options: BinaryOptions) -> nn.Module:
    levels = options.levels or [
        uniform_levels(count, options.pixel_bits) for count in options.thermometer
    ]
    if options.colours == "as given":
        return Thermometer(levels)
    coding = TYCC(options.thermometer)
    coding.thermometer.place(levels)
    return coding


def memory_table(network: nn.Module, *, duplicated: bool = True) -> dict[str, int]:
    """Stored weight bits of each binary layer by path, all allocated rows of a classifier counted.

    `duplicated` False counts a classifier's duplicated features once, as the published sizes do
    (5-fbnn.md 1, size check; inferred); a program stores both copies' weights.
    """
    table = {}
    for path, layer in network.named_modules():
        if isinstance(layer, QuantizedWeights):
            bits = layer.weight.numel() * (layer.levels - 1).bit_length()
            half = isinstance(layer, GrowableLinear) and not duplicated
            table[path] = bits // 2 if half else bits
    return table


def fbnn(**changes: Any) -> BinaryNetwork:
    """The 3 Mb FBNN: TYCC in, 512-bit latent, 50 rows (5-fbnn.md 4.2, design choice of the table).

    `changes` replaces any of `BinaryOptions`.
    """
    return BinaryNetwork(BinaryOptions(**{"name": "fbnn", **changes}))


def fbnn_4mb(**changes: Any) -> BinaryNetwork:
    """The 4.1 Mb network of ISCAS 2024: 85 levels a colour of 7 bits, 1024-bit latent, 100 rows.

    From the slides (5-fbnn.md 1); two convolutions a block and the bottleneck are the reading that
    gives the published size. `changes` replaces any of `BinaryOptions`.
    """
    given = {
        "name": "fbnn_4mb",
        "rows": 100,
        "latent": 1024,
        "thermometer": (85, 85, 85),
        "colours": "as given",
        "pixel_bits": 7,
    }
    return BinaryNetwork(BinaryOptions(**{**given, **changes}))
