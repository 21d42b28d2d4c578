"""The checker: a graph from anywhere is legal, typed and proved, or refused with one line."""

from __future__ import annotations

from codesign.errors import CodesignError
from codesign.ir.builder import infer, need_input, need_name, plain_json
from codesign.ir.graph import Graph, constant
from codesign.ir.opspec import lookup


def check(graph: Graph) -> None:
    """Prove `graph` again from its inputs and constants alone.

    Names are defined once and before use, constants hold only their codes, every node's
    attributes are legal and every recorded type is exactly what the op table proves. Raises
    CodesignError (UnsupportedError for an operation outside the table).
    """
    need_name(graph.name)
    for key, item in graph.metadata.items():
        plain_json(key, item)
    defined = set(graph.inputs) | set(graph.constants)
    if not graph.inputs or not graph.outputs:
        missing = "input" if not graph.inputs else "output"
        raise CodesignError(f"{graph.name}: has no {missing}; add one")
    for kind, names in (("input", graph.inputs), ("output", graph.outputs)):
        for name in names:
            if names.count(name) > 1:
                raise CodesignError(f"{graph.name}: {kind} {name!r} is given twice; give it once")
    _check_sources(graph)
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
            need_name(node.name)
            parsed = spec.parse_attributes(node.attrs)
            proved = infer(spec, graph.arguments(node), parsed)
        except CodesignError as error:
            raise type(error)(f"{graph.name}: {node.name}: {error}") from None
        if parsed != node.attrs:
            raise CodesignError(
                f"{graph.name}: {node.name!r} has attributes {dict(node.attrs)}; "
                f"write every one: {parsed}"
            )
        recorded = graph.values.get(node.name)
        if recorded is not None and recorded.is_constant and not proved.is_constant:
            raise CodesignError(f"{graph.name}: value {node.name!r} is defined twice; rename one")
        if recorded != proved:
            raise CodesignError(
                f"{graph.name}: {node.name!r} is recorded as {recorded} but can be {proved}; "
                "derive the type from the operation"
            )
        defined.add(node.name)
    results = graph.results
    for name in graph.outputs:
        if name not in results:
            raise CodesignError(
                f"{graph.name}: output {name!r} is not the result of a node; name a node"
            )
    for name in graph.values:
        if name not in defined:
            raise CodesignError(f"{graph.name}: value {name!r} has no source; remove it")


def _check_sources(graph: Graph) -> None:
    """Inputs are maps that fit a register; constants hold integer codes of their type."""
    for name in graph.inputs:
        if name not in graph.values or graph.values[name].is_constant:
            raise CodesignError(f"{graph.name}: input {name!r} is not a map; declare it")
        try:
            need_name(name)
            need_input(name, graph.values[name])
        except CodesignError as error:
            raise CodesignError(f"{graph.name}: {error}") from None
    for name, value in graph.constants.items():
        assert value.data is not None  # what makes it a constant
        try:
            need_name(name)
            proved = constant(value.data, value.type)
        except CodesignError as error:
            raise CodesignError(f"{graph.name}: {name}: {error}") from None
        if proved.shape != value.shape:
            raise CodesignError(
                f"{graph.name}: constant {name!r} is recorded as {value} but holds {proved}; "
                "derive the shape from the codes"
            )
