"""`codesign inspect`: the program as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codesign.cli._options import json_option, model_argument

if TYPE_CHECKING:
    from codesign.ir import Graph, Value


@click.command()
@model_argument
@json_option
def inspect(model: str, as_json: bool) -> None:
    """Print the integer program in MODEL, a line a value."""
    from codesign.sim import load_model

    graph = load_model(model)
    if not as_json:
        click.echo(str(graph), nl=False)
        return
    from codesign.report.canonical import canonical

    click.echo(canonical(_facts(graph)), nl=False)


def _facts(graph: Graph) -> dict[str, Any]:
    from codesign.ir import FORMAT, digest

    constants = [
        {"name": name, **_value(value), "digest": digest(value)}
        for name, value in graph.constants.items()
    ]
    nodes = [
        {
            "name": node.name,
            "op": node.op,
            "inputs": list(node.inputs),
            "attributes": {k: v if isinstance(v, int) else list(v) for k, v in node.attrs.items()},
            **_value(graph.values[node.name]),
        }
        for node in graph.nodes
    ]
    return {
        "format": FORMAT,
        "name": graph.name,
        "hash": graph.hash,
        "metadata": dict(graph.metadata),
        "inputs": [{"name": name, **_value(graph.values[name])} for name in graph.inputs],
        "constants": constants,
        "nodes": nodes,
        "outputs": list(graph.outputs),
    }


def _value(value: Value) -> dict[str, Any]:
    code = value.type
    return {
        "shape": list(value.shape),
        "lo": code.lo,
        "hi": code.hi,
        "step": code.step,
        "storage_bits": code.storage_bits,
        "width": code.width,
    }
