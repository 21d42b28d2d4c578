"""The command `codesign`: one file a command, imported when it is used."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from codesign.errors import OK, USAGE, CodesignError

#: Exit code after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130
#: When garbage is looked for: the objects of loaded modules, hundreds of thousands, are none.
GARBAGE = (20_000, 20, 20)
#: Commands whose kernels multiply without SciPy. Where it is installed, numba loads it before its
#: first kernel: 0.13 s of 0.8. It is told that there is none.
SPARING = (["simulate"], ["sweep"])
_BLAS = "scipy.linalg.cython_blas"


class Commands(click.Group):
    """A command for every module here that does not begin with `_`, under the module's name.

    Errors are one line on stderr, and the exit codes are those of `codesign.errors`.
    """

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

    def main(self, args: Sequence[str] | None = None, *_: Any, **options: Any) -> NoReturn:
        """Run the command line and exit; `args` None means the process's own."""
        if args is None:
            _prepare_process()
        code = _run(super().main, args, options)
        if args is None:
            gc.freeze()  # the end looks for no garbage in what is loaded: a tenth of a second
            if code == INTERRUPTED:
                _leave()
        sys.exit(code)


def _leave() -> NoReturn:
    """End the process now: threads of an engine may still be in compiled code."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # where that is an error, `_run` has said so
            stream.flush()
    os._exit(INTERRUPTED)


def _prepare_process() -> None:
    gc.set_threshold(*GARBAGE)
    if sys.argv[1:2] in SPARING:
        sys.modules.setdefault(_BLAS, None)  # type: ignore[arg-type]  # None: not to be found
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a closed pipe ends the command quietly
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    from codesign.cli._notices import show_notices

    show_notices()


def _run(command: Any, args: Sequence[str] | None, options: dict[str, Any]) -> int:
    """The exit code of the command line; errors are printed."""
    chosen = options | {"prog_name": "codesign", "standalone_mode": False}
    try:
        code = command(args, **chosen)
        sys.stdout.flush()
    except CodesignError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _fail(_one_line(error), USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("codesign: interrupted", err=True)
        return INTERRUPTED
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _fail(f"{error.filename or 'output'}: {reason}; check it and try again", USAGE)
    return code if isinstance(code, int) else OK


def _fail(message: str, code: int) -> int:
    click.echo(f"codesign: error: {message}", err=True)
    return code


def _one_line(error: click.ClickException) -> str:
    """Click's message with the command whose help says more."""
    text = " ".join(error.format_message().split()).rstrip(".")
    text = text[:1].lower() + text[1:]
    context = getattr(error, "ctx", None)
    return f"{text}; see '{context.command_path if context else 'codesign'} --help'"


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from codesign import __version__

        click.echo(f"codesign {__version__}")
        ctx.exit()


@click.group(
    cls=Commands, name="codesign", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version",
    is_flag=True,
    callback=_print_version,
    expose_value=False,
    is_eager=True,
    help="Print the version and exit.",
)
def main() -> None:
    """Train small quantized networks and know, to the bit and cycle, what they cost.

    \b
    Exit codes: 0 good, 1 results differ, 2 wrong usage or unreadable input,
    3 over budget, 4 operation not supported or not modelled.
    """
