"""`codesign hardware`: validate and print a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from codesign.cli._options import MACHINE, json_option

if TYPE_CHECKING:
    from codesign.hw import Hardware


@click.command()
@click.argument("config", type=MACHINE, required=False)
@json_option
def hardware(config: str | None, as_json: bool) -> None:
    """Check and print a configuration, or list the shipped ones.

    CONFIG is a YAML file or a shipped name; every default is written out.
    """
    from codesign.hw import Hardware, shipped
    from codesign.report.canonical import canonical

    if config is not None:
        machine = Hardware.load(config)
        facts = machine.model_dump(mode="json", by_alias=True, exclude_none=True)
        click.echo(canonical(facts) if as_json else _text(machine), nl=False)
        return
    machines = [Hardware.load(name) for name in sorted(shipped())]
    if as_json:
        names = [machine.name for machine in machines]
        click.echo(canonical({"hardware": names}), nl=False)
        return
    for machine in machines:
        click.echo(_summary(machine))


def _summary(machine: Hardware) -> str:
    lanes, weights = machine.lanes, machine.memories.weights.capacity
    return (
        f"{machine.name}  {lanes.input} x {lanes.output} lanes @ {machine.clock}, weights {weights}"
    )


def _text(machine: Hardware) -> str:
    """The configuration as YAML, every default written out."""
    import yaml

    facts = machine.model_dump(mode="json", by_alias=True, exclude_none=True)
    text: str = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
    return text
