"""Names of the classes that networks tell apart."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.errors import CodesignError

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
STL10 = (
    *("airplane", "bird", "car", "cat", "deer"),
    *("dog", "horse", "monkey", "ship", "truck"),
)
DIGITS = tuple(str(digit) for digit in range(10))


def class_names(kind: str, classes: int | Sequence[str]) -> tuple[str, ...]:
    """The names, or `class0`, `class1`... for a number of them; at least two, all different."""
    if isinstance(classes, int):
        names = tuple(f"class{number}" for number in range(classes))
    else:
        names = tuple(classes)
    if len(names) < 2 or len(set(names)) != len(names):
        raise CodesignError(
            f"{kind}: {len(names)} classes, {len(set(names))} of them different; "
            "give two or more, all different"
        )
    return names
