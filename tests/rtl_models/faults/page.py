"""docs/hardware/faults.md: every seeded fault and what catches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from codesign.files import write_atomic
from tests.rtl_models import tools
from tests.rtl_models.faults.hunt import Outcome
from tests.rtl_models.faults.seeded import FAULTS, SURVIVORS

PAGE = tools.ROOT / "docs" / "hardware" / "faults.md"
HEAD = """# Seeded faults

    python -m tests.rtl_models.faults [NAME ...] [--jobs N] [--write]

makes small wrong edits of `rtl_models/`, one at a time, and runs the checks of the Verilog on
each copy until one fails. NAME is a fault or a module; without one all are tried (also under
`nightly`). It prints what catches each fault and how long that took. It ends with 1 where less
than 95 % are caught, or where one survives that is not explained below. `--write`, and
`make faults`, write this page; with a NAME only that row, the others stay as they were found.

What meets a fault, in this order:

- **networks**: a fixed set of small networks, on machines of 4 x 4 and of 2 x 5 lanes and one of
  32 x 2 without optional units: every map and every cycle counter against the engine and the
  model, with and without pauses, gaps and back-pressure;
- **descriptors**, **units**: illegal descriptors and their errors; maps, weights, biases and
  programs at the last word of their memory and one word further;
- **streams**: TLAST with every word of a frame and with none, dropping, idle lanes,
  back-pressure, an abort with a word held;
- **abort**: an abort in every cycle of a program, the layer that it names, resets, and a whole
  frame behind them;
- **host**: every register and what it refuses, interrupts, pauses, the window on both ends of
  every memory;
- **cocotb**: the tests of `tests/rtl_models`, those that name the module first, for what has
  passed all this. The bus slave meets them before the others. Tests that fail on the right
  Verilog too do not count; lint and the proofs are left out. Units that are no part of the
  machine meet only the tests that name them.

Each of them is an ordinary test of the right Verilog as well.

<!-- written by python -m tests.rtl_models.faults --write -->
"""


def write(outcomes: Sequence[Outcome]) -> None:
    """Write the page: these outcomes, and of the other faults what it says."""
    write_atomic(PAGE, HEAD + render(merged(outcomes, PAGE.read_text(encoding="utf-8"))))


def merged(outcomes: Sequence[Outcome], text: str) -> list[Outcome]:
    """The outcomes and, for the faults that they leave out, those of the page `text`, in order.

    A fault that is in neither, or of which the page says something else, is left out.
    """
    found = {outcome.fault.name: outcome for outcome in outcomes}
    by = {(name, what): catcher for name, what, catcher in rows(text)}
    for fault in FAULTS:
        catcher = by.get((fault.name, fault.what))
        if catcher is not None and fault.name not in found:
            found[fault.name] = Outcome(fault, "" if catcher == "nothing" else catcher, "", 0.0)
    return [found[fault.name] for fault in FAULTS if fault.name in found]


def render(outcomes: Sequence[Outcome]) -> str:
    """The result, by what caught, and each fault."""
    left = [outcome for outcome in outcomes if not outcome.by]
    modules = {outcome.fault.module for outcome in outcomes}
    groups = Counter(_group(outcome) for outcome in outcomes if outcome.by)
    lines = [
        f"{len(outcomes) - len(left)} of {len(outcomes)} faults in {len(modules)} modules are "
        "caught.",
        "",
        "| caught by | faults |",
        "| --- | ---: |",
        *(f"| {group} | {count} |" for group, count in groups.most_common()),
        "",
        "## Survivors",
        "",
        *(
            [
                f"- `{item.fault.name}`: {SURVIVORS.get(item.fault.name, 'not explained')}"
                for item in left
            ]
            or ["None."]
        ),
        "",
        "## The faults",
        "",
        "| fault | what is wrong | caught by |",
        "| --- | --- | --- |",
        *(
            f"| `{item.fault.name}` | {item.fault.what} | {item.by or 'nothing'} |"
            for item in outcomes
        ),
        "",
    ]
    return "\n".join(lines)


def _group(outcome: Outcome) -> str:
    return outcome.by.partition(",")[0]


def listed() -> list[tuple[str, str]]:
    """Names and descriptions in the page's table."""
    return [(name, what) for name, what, _ in rows(PAGE.read_text(encoding="utf-8"))]


def rows(text: str) -> list[tuple[str, str, str]]:
    """The table of a page: name, description, what caught it."""
    lines = text.partition("## The faults")[2].splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| `")]
    return [(a.removeprefix("| ").strip("`"), b, c.removesuffix(" |")) for a, b, c in cells]
