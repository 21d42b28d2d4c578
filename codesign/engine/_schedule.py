"""Which values a run needs, and when each may be forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from codesign.errors import CodesignError
from codesign.ir import Graph, Node


@dataclass(frozen=True, slots=True)
class Step:
    """A node to compute, and the values that nothing reads after it."""

    node: Node
    dead: tuple[str, ...]


def wanted_values(graph: Graph, keep: Collection[str]) -> tuple[str, ...]:
    """The graph's outputs, then those of `keep` that are not among them, each once.

    Raises CodesignError for a name that is neither a node nor an input.
    """
    if isinstance(keep, str):
        raise CodesignError(f"keep is the text {keep!r}; give a list of names")
    known = {*graph.inputs, *graph.results}
    for name in keep:
        if name not in known:
            raise CodesignError(
                f"keep: {graph.name} computes no value {name!r}; "
                "name a node or an input ('codesign inspect' lists them)"
            )
    return tuple(dict.fromkeys((*graph.outputs, *keep)))


def schedule(graph: Graph, names: Iterable[str]) -> tuple[Step, ...]:
    """The nodes that `names` need, in order; `names` themselves stay alive."""
    kept = frozenset(names)
    needed: list[Node] = []
    sources = set(kept)
    for node in reversed(graph.nodes):
        if node.name in sources:
            sources.update(node.inputs)
            needed.append(node)
    steps: list[Step] = []
    alive_later = set(kept) | set(graph.constants)
    for node in needed:  # from the last to the first
        dead = tuple(name for name in dict.fromkeys(node.inputs) if name not in alive_later)
        alive_later.update(node.inputs)
        steps.append(Step(node, dead))
    return tuple(reversed(steps))


def largest_step(graph: Graph) -> int:
    """Most elements of one image that a node reads and writes."""
    return max(
        graph.values[node.name].size
        + sum(value.size for value in graph.arguments(node) if not value.is_constant)
        for node in graph.nodes
    )
