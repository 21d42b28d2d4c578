"""Residual merges that the product before them takes along: its codes never reach memory."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.joins import FIRST, SECOND
from codesign.engine._numba.merge import Residual
from codesign.engine._numba.products import Product
from codesign.engine._numba.skips import Skip
from codesign.engine._numba.tiles import takes_skips
from codesign.ir import Graph, Node

#: Channels that are whole vectors at every level: where copies of a map begin.
_WHOLE = 64


def fuse(
    graph: Graph,
    products: dict[str, Product],
    merged: dict[str, Residual],
    readers: dict[str, list[Node]],
    kept: set[str],
) -> None:
    """Residuals of `merged` become skips of products, where nothing else reads their codes.

    Such a product is computed where its residual stood: what is beside it is there by then.
    """
    codes = {p.result: p for p in products.values() if p.after is not None}
    for residual in list(merged.values()):
        for name in dict.fromkeys((residual.a, residual.b, residual.other)):
            product, other = codes.get(name), _other(residual, name)
            members = {residual.result, *residual.members}
            if (
                product is not None
                and other is not None
                and name not in kept
                and all(reader.name in members for reader in readers[name])
                and takes_skips(product.level, product.window, graph.values[name].shape[0])
                and _copies_are_whole(graph, product, residual)
            ):
                product.skip = _skip(graph, residual, name, other)
                product.beside = (other, *((residual.select,) if residual.select else ()))
                product.merged, product.result = residual.members, residual.result
                del merged[residual.result]
                break


def _other(residual: Residual, name: str) -> str | None:
    """The one map that is merged with `name`; None where it is not one, or `name` is copied."""
    others = {residual.a, residual.b, residual.other} - {name, ""}
    copied = residual.times > 1 and residual.b == name
    return others.pop() if len(others) == 1 and not copied else None


def _copies_are_whole(graph: Graph, product: Product, residual: Residual) -> bool:
    """Whether no vector of outputs reaches from one copy of the other map into the next."""
    outputs = graph.values[residual.result].shape[0]
    return residual.times == 1 or not (
        outputs // residual.times % _WHOLE or outputs // product.window.groups % _WHOLE
    )


def _skip(graph: Graph, residual: Residual, name: str, other: str) -> Skip:
    """The residual as its product `name` has it: what is read beside its codes is `other`."""

    def alone(read: str) -> int:
        return FIRST if read == name else SECOND

    ones = alone(residual.a) if residual.kind == FIRST else residual.kind
    zeros = alone(residual.other) if residual.select else 0
    if residual.inverted:
        ones, zeros = zeros, ones
    value = graph.values[residual.result]
    return Skip(
        ones, zeros, value.type.lo < 0, graph.values[other].shape[0], value.shape[0],
        int(np.prod(value.shape[1:], dtype=np.int64)), residual.frames(graph),
    )  # fmt: skip
