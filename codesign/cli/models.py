"""`codesign models`: networks that can be trained, and trained ones that ship."""

from __future__ import annotations

import click

from codesign.cli._options import json_option


@click.command()
@json_option
def models(as_json: bool) -> None:
    """List the networks to train, and those that ship trained."""
    from codesign.models import MODELS
    from codesign.sim import shipped

    entries = [
        {"name": name, "description": entry.description, "paper": entry.paper}
        for name, entry in sorted(MODELS.items())
    ]
    if as_json:
        from codesign.report.canonical import canonical

        click.echo(canonical({"models": entries, "trained": shipped()}), nl=False)
        return
    click.echo("to train (codesign train NAME, codesign.models.create):")
    width = max(len(entry["name"]) for entry in entries)
    for entry in entries:
        click.echo(f"  {entry['name']:<{width}}  {entry['description']}")
        click.echo(f"  {'':<{width}}  {entry['paper']}")
    click.echo("trained (codesign simulate NAME):")
    for name in shipped():
        click.echo(f"  {name}")
