"""`codesign schema`: the published JSON schemas."""

from __future__ import annotations

import click


@click.command()
@click.argument(
    "what", type=click.Choice(["report", "hardware", "sweep"]), metavar="report|hardware|sweep"
)
def schema(what: str) -> None:
    """Print the JSON schema of reports, configurations or sweeps."""
    from codesign.report.canonical import canonical

    if what == "report":
        from codesign.report import Report

        click.echo(canonical(Report.json_schema()), nl=False)
    elif what == "sweep":
        from codesign.report.sweep import Sweep

        click.echo(canonical(Sweep.json_schema()), nl=False)
    else:
        from codesign.hw import Hardware

        click.echo(canonical(Hardware.json_schema()), nl=False)
