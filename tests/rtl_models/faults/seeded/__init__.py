"""All seeded faults, and the reasons of those that nothing can see."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault
from tests.rtl_models.faults.seeded import (
    arithmetic,
    generators,
    host,
    memories,
    outside,
    products,
    program,
    results,
    streams,
)

FAULTS: tuple[Fault, ...] = (
    *host.FAULTS,
    *program.FAULTS,
    *memories.FAULTS,
    *products.FAULTS,
    *arithmetic.FAULTS,
    *results.FAULTS,
    *streams.FAULTS,
    *outside.FAULTS,
    *generators.FAULTS,
)

#: Faults that every check passes, with the reason; a survivor that is not here fails the command.
SURVIVORS: dict[str, str] = {
    "result_unit/frozen-pool": (
        "the pipe is frozen by a complete result only: the code that is pooled again is its "
        "window's last, and leaves the maximum as it is; a sum is complete without a code"
    ),
}
