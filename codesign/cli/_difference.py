"""How `verify` and `diff` end: one line that all is equal, or the first divergence and exit 1."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codesign.errors import DifferenceError

if TYPE_CHECKING:
    from codesign.verify import Comparison, Divergence


def conclude(
    result: Comparison,
    where: str,
    replay: str,
    *,
    as_json: bool,
    junit_path: Path | None = None,
    note: str = "",
) -> None:
    """Print the comparison; raise DifferenceError (exit 1) with the command that replays a layer.

    `replay` is that command without `--layer`; empty where no command shows more.
    """
    found = result.divergence
    command = f"{replay} --layer {shlex.quote(found.layer)}" if found and replay else ""
    if junit_path is not None:
        _write_junit(result, where, command, junit_path)
    if as_json:
        from codesign.report.canonical import canonical

        click.echo(canonical(_facts(result, where, command)), nl=False)
    if found is not None:
        raise DifferenceError(f"results differ: {_told(found, command)}{note}")
    if not as_json:
        from codesign.report import plural

        inputs, layers = plural(result.inputs, "input"), plural(len(result.layers), "layer")
        click.echo(f"equal: {where}, {inputs}, {layers}{note}")
        if result.unmatched:
            click.echo(f"not compared: {', '.join(result.unmatched)}")


def _told(found: Divergence, command: str) -> str:
    return f"{found}; replay: {command}" if command else str(found)


def _facts(result: Comparison, where: str, command: str) -> dict[str, Any]:
    found = result.divergence
    divergence = None
    if found is not None:
        divergence = {
            "layer": found.layer,
            "op": found.op,
            "input": found.input,
            "index": None if found.index is None else list(found.index),
            "expected": found.expected,
            "actual": found.actual,
            "wrong": found.wrong,
            "size": found.size,
            "replay": command or None,
        }
    return {
        "compared": where,
        "equal": found is None,
        "inputs": result.inputs,
        "layers": list(result.layers),
        "not_compared": list(result.unmatched),
        "divergence": divergence,
    }


def _write_junit(result: Comparison, where: str, command: str, path: Path) -> None:
    """A case for each layer up to the first that differs; those after it only follow from it."""
    from codesign.files import write_atomic
    from codesign.report.junit import Case, junit

    cases: list[Case] = []
    for layer in result.layers:
        found = result.divergence
        differs = found is not None and found.layer == layer
        cases.append(Case("layer", layer, _told(found, command) if found and differs else ""))
        if differs:
            break
    write_atomic(path, junit(where, cases))
