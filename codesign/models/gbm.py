"""Networks for Generative Binary Memory: a real backbone, a binarizer, an integer classifier.

The paper reaches its results with ResNet-18 and a binarizer (6-gbm.md 2). Backbone and binarizer
are floating point and stay on the host; the program begins at the binary latent vector, and its
metadata names what stands before it, so that a report cannot pass it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.models.resnet import ResNet18, count_macs
from codesign.nn import BitShiftNorm, HeavisideBinarizer, Input, QuantLinear, ThermometerBinarizer

Binarizer = HeavisideBinarizer | ThermometerBinarizer


def host_part(name: str, macs: int, output: str = "latent") -> dict[str, Any]:
    """One entry of a program's metadata `host`: what makes the input `output`, and its MACs."""
    return {"name": name, "macs": macs, "output": output}


class LatentClassifier(nn.Sequential):
    """The integer part: N x D bits 0 and 1 -> N x classes integer scores.

    A dense layer of `levels` weight levels and a bias a class (6-gbm.md 4.4: ternary). `host` lists
    what makes the latent; it is part of `metadata`.
    """

    def __init__(
        self,
        bits: int,
        classes: Sequence[str],
        levels: int = 3,
        host: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__()
        self.latent = Input((bits,), 0, 1)
        self.fc = QuantLinear(bits, len(classes), levels)
        self.scores = BitShiftNorm(len(classes), None, shift=0)
        self.metadata: dict[str, Any] = {
            "name": "gbm_classifier",
            "classes": list(classes),
            "input": "latent",
            "preprocessing": "bits 0 and 1 of the binarized embedding",
            **({"host": list(host)} if host else {}),
        }


class GbmNetwork(nn.Module):
    """Pixels to scores: backbone, binarizer, `LatentClassifier`; export its `classifier`.

    `backbone` maps N x C x H x W to N x binarizer.features real features; `image` is the shape of
    one image, for the MACs. Raises CodesignError where backbone and binarizer do not fit.
    """

    def __init__(
        self,
        backbone: nn.Module,
        binarizer: Binarizer,
        classes: Sequence[str],
        image: tuple[int, int, int],
        levels: int = 3,
    ) -> None:
        super().__init__()
        features = getattr(backbone, "features", binarizer.features)
        if features != binarizer.features:
            raise CodesignError(
                f"{type(self).__name__}: the backbone has {features} features, the binarizer takes "
                f"{binarizer.features}; make them equal"
            )
        name = f"{type(backbone).__name__} and {type(binarizer).__name__}"
        host = [host_part(name, count_macs(backbone, image))]
        self.backbone, self.binarizer = backbone, binarizer
        self.classifier = LatentClassifier(binarizer.bits, classes, levels, host)

    def embed(self, x: Tensor) -> Tensor:
        """The latent vectors: N x D bits."""
        bits: Tensor = self.binarizer(self.backbone(x))
        return bits

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        scores: Tensor = self.classifier(self.embed(x))
        return scores


def gbm_resnet18(
    classes: Sequence[str], image: tuple[int, int, int] = (3, 32, 32), levels: int = 0
) -> GbmNetwork:
    """ResNet-18 with a Heaviside binarizer, or a thermometer of `levels` bits a feature."""
    backbone = ResNet18(image[0])
    binarizer: Binarizer = HeavisideBinarizer(backbone.features)
    if levels:
        binarizer = ThermometerBinarizer(backbone.features, levels, positive=True)
    return GbmNetwork(backbone, binarizer, classes, image)
