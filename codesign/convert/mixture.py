"""Programs of Generative Binary Memory: the class of a latent vector, draws of pseudo-exemplars.

Both run on every engine and in the Verilog like any other program (6-gbm.md 4.4, 4.5, design
choice: the paper's integer variant is not at hand).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, check

_BIT = IntType(0, 1)


def score_program(
    name: str,
    means: IntArray,
    prior: IntArray,
    logs: IntArray,
    classes: Sequence[str],
    host: Sequence[Mapping[str, Any]] = (),
) -> Graph:
    """`class` and `scores` of `latent` (D bits) by the mixtures of C classes.

    `means` (C x K x D codes), `prior` (C x K) and `logs` as `codesign.quant.score_constants` gives
    them. `host` tells what makes the latent (see `codesign.models.gbm.host_part`). Raises
    CodesignError where the arrays do not fit each other or the classes.
    """
    if len(classes) != len(means):
        raise CodesignError(
            f"{name}: {len(classes)} classes, means of {len(means)}; name one class a mixture"
        )
    facts: dict[str, Any] = {"classes": list(classes), "input": "latent"}
    if host:
        facts["host"] = [dict(part) for part in host]
    b = GraphBuilder(name, facts)
    latent = b.input("latent", (means.shape[-1],), _BIT)
    constants = [
        b.constant(f"scores.{label}", codes, IntType(int(codes.min()), int(codes.max())))
        for label, codes in (("means", means), ("prior", prior), ("logs", logs))
    ]
    scores = b.node("scores", "bmm_score", [latent, *constants])
    b.output(b.node("class", "argmax", [scores]))
    b.output(scores)
    graph = b.build()
    check(graph)
    return graph


def generator_program(
    name: str, size: int, *, bits: int = 8, cells: int = 61, steps: int = 4, rule: int = 30
) -> Graph:
    """`latent` (`size` bits) drawn from `means`, and `state_next`, the generator's state after it.

    `means` are codes of probabilities m / 2^bits, those of the prototype that was selected; `state`
    is a ring of `cells` bits, not all equal at the start, and the last run's `state_next` after
    it. Each draw advances the ring `steps` steps (6-gbm.md 4.5: at least 4).
    """
    b = GraphBuilder(name, {"state": {"state": "state_next"}})
    means = b.input("means", (size,), IntType(0, (1 << bits) - 1))
    state = b.input("state", (cells,), _BIT)
    b.output(
        b.node("latent", "bernoulli_sample", [means, state], rule=rule, steps=steps, bits=bits)
    )
    b.output(b.node("state_next", "ca_step", [state], rule=rule, steps=steps * size))
    graph = b.build()
    check(graph)
    return graph


def first_state(cells: int = 61, seed: int = 1) -> IntArray:
    """A ring to begin with: `cells` bits from NumPy's generator of that seed, 1 x cells."""
    return np.random.default_rng(seed).integers(0, 2, (1, cells)).astype(np.uint8)
