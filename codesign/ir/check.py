"""The checker: a graph from anywhere is legal, typed and proved, or refused with one line."""

from __future__ import annotations

from codesign.errors import CodesignError
from codesign.ir.builder import infer
from codesign.ir.graph import Graph
from codesign.ir.opspec import lookup


def check(graph: Graph) -> None:
    """Prove `graph` again from its inputs and constants alone.

    Names are defined once and before use, constants hold only their codes, every node's
    attributes are legal and every recorded type is exactly what the op table proves. Raises
    CodesignError (UnsupportedError for an operation outside the table).
    """
    defined = set(graph.inputs) | set(graph.constants)
    if not graph.inputs or not graph.outputs:
        missing = "input" if not graph.inputs else "output"
        raise CodesignError(f"{graph.name}: has no {missing}; add one")
    for name in graph.inputs:
        if name not in graph.values or graph.values[name].is_constant:
            raise CodesignError(f"{graph.name}: input {name!r} is not a map; declare it")
    for name, value in graph.constants.items():
        data = value.data
        assert data is not None  # what makes it a constant
        if tuple(data.shape) != value.shape or not value.type.contains(data):
            raise CodesignError(
                f"{graph.name}: constant {name!r} has codes outside {value}; correct its type"
            )
    for node in graph.nodes:
        if node.name in defined:
            raise CodesignError(f"{graph.name}: value {node.name!r} is defined twice; rename one")
        for source in node.inputs:
            if source not in defined:
                raise CodesignError(
                    f"{graph.name}: {node.name!r} reads {source!r}, which is not defined before "
                    "it; order the nodes"
                )
        spec = lookup(node.op)
        try:
            proved = infer(spec, graph.arguments(node), spec.parse_attributes(node.attrs))
        except CodesignError as error:
            raise type(error)(f"{graph.name}: {node.name}: {error}") from None
        recorded = graph.values.get(node.name)
        if recorded != proved:
            raise CodesignError(
                f"{graph.name}: {node.name!r} is recorded as {recorded} but can be {proved}; "
                "derive the type from the operation"
            )
        defined.add(node.name)
    for name in graph.outputs:
        if name not in defined:
            raise CodesignError(f"{graph.name}: output {name!r} is not defined; name a value")
    for name in graph.values:
        if name not in defined:
            raise CodesignError(f"{graph.name}: value {name!r} has no source; remove it")
