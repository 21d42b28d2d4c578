"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from codesign.ir import Graph
    from codesign.sim.inputs import Inputs

Command = TypeVar("Command", bound=Callable[..., Any])

#: Random inputs of a command that compares, where no input is given.
DEFAULT_COUNT = 4

#: A path that the command reads or writes itself, so that its own messages speak.
FILE = click.Path(path_type=Path)


class Named(click.ParamType[str]):
    """A path, or a name out of a list that is imported only to complete it."""

    name = "name"

    def __init__(self, names: Callable[[], list[str]], *, files: bool = True) -> None:
        self._names = names
        self._files = files

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, and files."""
        found = [CompletionItem(n) for n in self._names() if n.startswith(incomplete)]
        return found + ([CompletionItem(incomplete, type="file")] if self._files else [])


def _models() -> list[str]:
    from codesign.sim import shipped

    return shipped()


def _machines() -> list[str]:
    from codesign.hw import shipped

    return list(shipped())


def _engines() -> list[str]:
    from codesign.engine import ENGINES, MACHINE

    return [*ENGINES, MACHINE]


MODEL = Named(_models)
MACHINE = Named(_machines)
ENGINE = Named(_engines, files=False)


def model_argument(command: Command) -> Command:
    """The argument MODEL: a file, or the name of a shipped network."""
    return click.argument("model", type=MODEL)(command)


def engine_options(command: Command) -> Command:
    """--engine and --threads."""
    command = click.option(
        "--threads", type=int, metavar="N", help="Threads; the results do not depend on them."
    )(command)
    return click.option(
        "--engine",
        type=ENGINE,
        default="numba",
        show_default=True,
        help="numba, reference or onnxruntime (simulate: also rtl, the Verilog); the results do "
        "not depend on it.",
    )(command)


def input_options(command: Command) -> Command:
    """--input, --count, --seed, --limit, --fit: what `gather` takes."""
    for option in (
        click.option(
            "--fit",
            default="crop",
            show_default=True,
            help="Photographs of another size: crop (centre, box average) or exact (refuse).",
        ),
        click.option("--limit", type=int, metavar="N", help="Only the first N inputs."),
        click.option(
            "--seed", type=int, metavar="S", help="Seed of the random inputs.  [default: 0]"
        ),
        click.option("--count", type=int, metavar="N", help="N random inputs in place of --input."),
        click.option(
            "--input",
            "inputs",
            multiple=True,
            type=FILE,
            metavar="PATH",
            help="Image, folder of images, .npz or .npy; may be given several times.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON in place of text.")(
        command
    )


def gather(
    graph: Graph,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    *,
    default: int | None = None,
) -> Inputs | None:
    """The inputs asked for; `default` random ones, or None, where nothing is.

    An option that would have no effect is refused.
    """
    from codesign.sim.inputs import from_paths, from_random

    if inputs:
        for option, value in (("--count", count), ("--seed", seed)):
            if value is not None:
                raise CodesignError(f"{option} is for random inputs; leave out {option} or --input")
        return from_paths(graph, inputs, fit=fit, limit=limit)
    if limit is not None:
        raise CodesignError("--limit is for the inputs of --input; add --input or use --count")
    if count is None and default is None:
        if seed is not None:
            raise CodesignError("--seed is for random inputs; add --count N")
        return None
    return from_random(graph, seed or 0, default if count is None else count)  # type: ignore[arg-type]
