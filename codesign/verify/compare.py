"""Two engines on one program, or two programs on one engine: the first value that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from codesign.engine import Engine, create
from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.verify.difference import Divergence, difference
from codesign.verify.replay import layer_graph, need_same_inputs

#: One batch: the inputs' names and their codes by graph input.
Batch = tuple[tuple[str, ...], Mapping[str, IntArray]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared and the first difference, in the order of the expected program.

    Attributes:
        inputs: how many inputs were compared.
        layers: the values compared, by the expected program's names.
        unmatched: the values that only one of two programs has.
        divergence: the first difference; None where every code is equal.
    """

    inputs: int
    layers: tuple[str, ...]
    unmatched: tuple[str, ...]
    divergence: Divergence | None


def compare_engines(
    graph: Graph,
    engines: tuple[str, str],
    batches: Iterable[Batch],
    *,
    layer: str | None = None,
    threads: int | None = None,
) -> Comparison:
    """Every value of `graph` as the first engine (expected) and the second compute it.

    With `layer`, that node alone, on the inputs that the first engine computes for it.
    """
    if engines[0] == engines[1]:
        raise CodesignError(f"engine {engines[0]} is compared with itself; name two engines")
    whole = create(engines[0], graph, threads=threads)
    if layer is not None:
        part = layer_graph(graph, layer)
        left, right = (create(name, part, threads=threads) for name in engines)
        fed = ((names, whole.run(arrays, part.inputs)) for names, arrays in batches)
        chosen = ((names, {key: values[key] for key in part.inputs}) for names, values in fed)
        return _compare(part, [(layer, layer)], (), left, right, chosen)
    pairs = [(name, name) for name in graph.results]
    return _compare(graph, pairs, (), whole, create(engines[1], graph, threads=threads), batches)


def compare_models(
    expected: Graph,
    actual: Graph,
    batches: Iterable[Batch],
    *,
    layer: str | None = None,
    engine: str = "numba",
    threads: int | None = None,
) -> Comparison:
    """The values that both programs name alike, and their outputs by position.

    With `layer`, that node of `actual` alone, on what `expected` feeds its node of that name.
    """
    need_same_inputs(expected, actual)
    whole = create(engine, expected, threads=threads)
    if layer is not None:
        return _compare_layer(expected, actual, batches, layer, whole, engine, threads)
    pairs, unmatched = _match(expected, actual)
    right = create(engine, actual, threads=threads)
    return _compare(expected, pairs, unmatched, whole, right, batches)


def _compare_layer(
    expected: Graph,
    actual: Graph,
    batches: Iterable[Batch],
    layer: str,
    whole: Engine,
    engine: str,
    threads: int | None,
) -> Comparison:
    before, after = layer_graph(expected, layer), layer_graph(actual, layer)
    left, right = (create(engine, part, threads=threads) for part in (before, after))
    shapes = [[str(part.values[name]) for name in part.inputs] for part in (before, after)]
    same = before.values[layer].shape == after.values[layer].shape
    if shapes[0] != shapes[1] or not same:
        raise CodesignError(
            f"layer {layer}: {actual.name} computes {after.values[layer]} from "
            f"{', '.join(shapes[1])}, {expected.name} {before.values[layer]} from "
            f"{', '.join(shapes[0])}; replay a layer that both have alike"
        )
    renamed = dict(zip(before.inputs, after.inputs, strict=True))

    def compute(arrays: Mapping[str, IntArray]) -> Mapping[str, IntArray]:
        return right.run({renamed[name]: array for name, array in arrays.items()})

    fed = ((names, whole.run(arrays, before.inputs)) for names, arrays in batches)
    chosen = ((names, {key: values[key] for key in before.inputs}) for names, values in fed)
    return _stream(before, [(layer, layer)], (), left.run, compute, chosen)


def _match(expected: Graph, actual: Graph) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Pairs of values to compare, in the order of `expected`, and the names left over."""
    found = set(actual.results)
    pairs = {
        name: name
        for name in expected.results
        if name in found and expected.values[name].shape == actual.values[name].shape
    }
    for first, second in zip(expected.outputs, actual.outputs, strict=False):
        if expected.values[first].shape == actual.values[second].shape:
            pairs.setdefault(first, second)
    if not pairs:
        raise CodesignError(
            f"{expected.name} and {actual.name} have no value of the same name and shape, "
            "nor outputs of the same shape; compare networks of the same kind"
        )
    left = [f"{expected.name}: {name}" for name in expected.results if name not in pairs]
    taken = set(pairs.values())
    left += [f"{actual.name}: {name}" for name in actual.results if name not in taken]
    return [(name, pairs[name]) for name in expected.results if name in pairs], tuple(left)


def _compare(
    graph: Graph,
    pairs: Sequence[tuple[str, str]],
    unmatched: tuple[str, ...],
    left: Engine,
    right: Engine,
    batches: Iterable[Batch],
) -> Comparison:
    firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
    return _stream(
        graph,
        pairs,
        unmatched,
        lambda arrays: left.run(arrays, firsts),
        lambda arrays: right.run(arrays, seconds),
        batches,
    )


def _stream(
    graph: Graph,
    pairs: Sequence[tuple[str, str]],
    unmatched: tuple[str, ...],
    left: Callable[[Mapping[str, IntArray]], Mapping[str, IntArray]],
    right: Callable[[Mapping[str, IntArray]], Mapping[str, IntArray]],
    batches: Iterable[Batch],
) -> Comparison:
    """Compare batch by batch; the first batch that differs ends it."""
    layers = tuple(first for first, _ in pairs)
    count = 0
    for names, arrays in batches:
        count += len(names)
        expected, actual = left(arrays), right(arrays)
        for first, second in pairs:
            found = difference(graph, first, names, expected[first], actual[second])
            if found is not None:
                return Comparison(count, layers, unmatched, found)
    return Comparison(count, layers, unmatched, None)
