"""One layer alone: a graph of a single node, to be run on the inputs that it should have had."""

from __future__ import annotations

from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder


def layer_graph(graph: Graph, layer: str) -> Graph:
    """The node `layer` of `graph` with its constants, as a graph of its own.

    Its inputs are the maps that the node reads, by name. Raises CodesignError where `layer` is
    no node of the graph.
    """
    node = graph.node(layer)
    builder = GraphBuilder(f"{graph.name}.{layer}")
    for source in dict.fromkeys(node.inputs):
        value = graph.values[source]
        if value.data is None:
            builder.input(source, value.shape, value.type)
        else:
            builder.constant(source, value.data, value.type)
    builder.output(builder.node(layer, node.op, list(node.inputs), **node.attrs))
    return builder.build()


def need_same_inputs(expected: Graph, actual: Graph) -> None:
    """Refuse two graphs that do not take the same inputs: names, shapes and codes."""
    described = [
        ", ".join(f"{name} {graph.values[name]}" for name in graph.inputs)
        for graph in (expected, actual)
    ]
    if described[0] != described[1]:
        raise CodesignError(
            f"{actual.name} takes {described[1]}, {expected.name} takes {described[0]}; "
            "compare networks with the same inputs"
        )
