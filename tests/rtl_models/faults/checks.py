"""The graded checks of a folder of Verilog: fast ones first, each on the machine that it is for.

    python -m tests.rtl_models.faults.checks FOLDER

prints what the first check finds and ends with 1, or prints nothing and ends with 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from codesign.errors import CodesignError
from codesign.rtl.accelerator import MachineError
from tests.rtl_models.faults import (
    check_abort,
    check_descriptors,
    check_host,
    check_networks,
    check_streams,
)
from tests.rtl_models.faults.driver import PLAIN
from tests.rtl_models.faults.networks import BARE, NARROW, SMALL
from tests.rtl_models.faults.quick import quick_libraries

#: By name, in the order in which they run: those that find most, on the library that is built.
CHECKS: dict[str, Callable[[Path | None], None]] = {
    "networks, small": lambda models: check_networks.check(SMALL, models),
    "descriptors, small": lambda models: check_descriptors.check(SMALL, models),
    "streams, small": lambda models: check_streams.check(SMALL, models),
    "abort, small": lambda models: check_abort.check(SMALL, models),
    "host, small": lambda models: check_host.check(SMALL, models),
    "networks, narrow": lambda models: check_networks.check(NARROW, models),
    "descriptors, narrow": lambda models: check_descriptors.check(NARROW, models),
    "streams, narrow": lambda models: check_streams.check(NARROW, models),
    "abort, narrow": lambda models: check_abort.check(NARROW, models),
    "host, narrow": lambda models: check_host.check(NARROW, models),
    "networks, bare": lambda models: check_networks.check(BARE, models),
    "units, bare": lambda models: check_descriptors.check_units(BARE, models),
    "host, bare": lambda models: check_host.check(BARE, models, PLAIN),
}


def first_difference(models: Path) -> str:
    """Name of the first check that fails and what it says; empty where all hold."""
    for name, check in CHECKS.items():
        try:
            check(models)
        except (AssertionError, MachineError) as found:
            return f"{name}: {found}"
    return ""


def main(arguments: list[str]) -> int:
    """Check the folder that is given."""
    try:
        with quick_libraries():
            found = first_difference(Path(arguments[0]))
    except CodesignError as error:  # a tool, or Verilog that cannot be built
        print(f"{error}", file=sys.stderr)
        return 2
    print(found, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
