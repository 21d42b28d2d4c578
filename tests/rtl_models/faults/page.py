"""docs/hardware/faults.md: every seeded fault and what catches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from codesign.files import write_atomic
from tests.rtl_models import tools
from tests.rtl_models.faults.hunt import Outcome
from tests.rtl_models.faults.seeded import SURVIVORS

PAGE = tools.ROOT / "docs" / "hardware" / "faults.md"
_BEGIN = "<!-- faults: written by python -m tests.rtl_models.faults --write -->\n"


def write(outcomes: Sequence[Outcome]) -> None:
    """Replace what stands behind the mark."""
    text, mark, _ = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    write_atomic(PAGE, text + mark + render(outcomes))


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
        *([f"- `{item.fault.name}`: {SURVIVORS[item.fault.name]}" for item in left] or ["None."]),
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
    rows = PAGE.read_text(encoding="utf-8").partition("## The faults")[2].splitlines()
    cells = [row.split(" | ") for row in rows if row.startswith("| `")]
    return [(first.removeprefix("| ").strip("`"), what) for first, what, _ in cells]
