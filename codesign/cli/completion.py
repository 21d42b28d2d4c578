"""`codesign completion`: what a shell needs to complete the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    In ~/.bashrc, for example: eval "$(codesign completion bash)"
    """
    found = get_completion_class(shell)
    assert found is not None  # click knows every choice
    root = ctx.find_root().command
    script = found(root, {}, "codesign", "_CODESIGN_COMPLETE")
    click.echo(script.source_template % script.source_vars())
