"""The command `codesign`: one file a command, imported when it is used."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence

import click

from codesign.errors import OK, USAGE, CodesignError

#: Exit code after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130


class Commands(click.Group):
    """A command for every module here that does not begin with `_`, under the module's name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands."""
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from codesign import __version__

        click.echo(f"codesign {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, callback=_print_version, expose_value=False, is_eager=True,
    help="Print the version and exit.",
)  # fmt: skip
def codesign() -> None:
    """Train small quantized networks and know, to the bit and cycle, what they cost.

    \b
    Exit codes: 0 good, 1 results differ, 2 wrong usage or unreadable input,
    3 over budget, 4 operation not supported or not modelled.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code; errors are one line on stderr."""
    try:
        code = codesign.main(list(arguments), prog_name="codesign", standalone_mode=False)
        sys.stdout.flush()
    except CodesignError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _fail(_one_line(error), USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.stdout.flush()
        click.echo("codesign: interrupted", err=True)
        return INTERRUPTED
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}".lower(), USAGE)
    return code if isinstance(code, int) else OK


def main() -> None:
    """Entry point of the installed command."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a closed pipe ends the command quietly
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        sys.stderr.flush()
        os._exit(code)  # threads of an engine may still be in compiled code
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    click.echo(f"codesign: error: {message}", err=True)
    return code


def _one_line(error: click.ClickException) -> str:
    """Click's message with the command whose help says more."""
    text = " ".join(error.format_message().split()).rstrip(".")
    text = text[:1].lower() + text[1:]
    context = getattr(error, "ctx", None)
    return f"{text}; see '{context.command_path if context else 'codesign'} --help'"
