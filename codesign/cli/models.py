"""`codesign models`: networks that can be trained, and trained ones that ship."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from codesign.cli._options import json_option


@click.command()
@json_option
def models(as_json: bool) -> None:
    """List the networks to train, and those that ship trained."""
    from codesign.models import MODELS
    from codesign.models.sizes import SIZES
    from codesign.sim import shipped

    entries: list[dict[str, Any]] = [
        {
            "name": name,
            "description": entry.description,
            "paper": entry.paper,
            **asdict(SIZES[name]),
        }
        for name, entry in sorted(MODELS.items())
    ]
    if as_json:
        from codesign.report.canonical import canonical

        click.echo(canonical({"models": entries, "trained": shipped()}), nl=False)
        return
    click.echo("to train (codesign train NAME, codesign.models.create):")
    columns = ("name", "weights", "macs", "stored_bits", "generated_bits")
    rows: list[tuple[str, ...]] = [("", "weights", "MAC", "stored", "generated")]
    for entry in entries:
        name, weights, macs, *bits = (entry[column] for column in columns)
        rows.append(
            (f"{name}", f"{weights:,}", f"{macs:,}", *(f"{b:,} b" if b else "" for b in bits))
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, entry in zip(rows, ({}, *entries), strict=True):
        cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo(f"  {row[0]:<{widths[0]}}  {'  '.join(cells)}".rstrip())
        for key in ("description", "paper"):
            if entry:
                click.echo(f"  {'':<{widths[0]}}  {entry[key]}")
    click.echo("trained (codesign simulate NAME):")
    for name in shipped():
        click.echo(f"  {name}")
