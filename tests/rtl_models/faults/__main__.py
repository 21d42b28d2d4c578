"""`python -m tests.rtl_models.faults`: seed faults one at a time, say what catches each."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.rtl_models.faults import page
from tests.rtl_models.faults.hunt import NotBuiltError, Outcome, hunt
from tests.rtl_models.faults.seeded import FAULTS, SURVIVORS

#: Share of the faults that have to be caught.
FLOOR = 0.95


def main(arguments: list[str]) -> int:
    """0 where enough faults are caught and every survivor is explained; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.rtl_models.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults or modules; default: all")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--write", action="store_true", help=f"write {page.PAGE.name}")
    chosen = parser.parse_args(arguments)
    faults = [
        fault
        for fault in FAULTS
        if not chosen.names or fault.name in chosen.names or fault.module in chosen.names
    ]
    problems = [fault.problem() for fault in faults if fault.problem()]
    if problems or not faults:
        print("\n".join(problems or [f"no fault is named {' or '.join(chosen.names)}"]))
        return 1
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        try:
            for outcome in pool.map(hunt, faults):
                outcomes.append(outcome)
                print(_line(outcome), flush=True)
        except NotBuiltError as error:
            pool.shutdown(cancel_futures=True)
            print(error)
            return 1
    if chosen.write:
        page.write(outcomes)
    return _verdict(outcomes)


def _line(outcome: Outcome) -> str:
    said = outcome.said if len(outcome.said) <= 80 else f"{outcome.said[:77]}..."
    by = outcome.by or "nothing"
    return f"{outcome.fault.name:40} {outcome.seconds:6.1f} s  {by:24} {said}"


def _verdict(outcomes: list[Outcome]) -> int:
    left = [outcome.fault.name for outcome in outcomes if not outcome.by]
    caught = len(outcomes) - len(left)
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"\n{caught} of {len(outcomes)} faults are caught, in {seconds:,.0f} s")
    unexplained = [name for name in left if name not in SURVIVORS]
    for name in left:
        print(f"  {name} survives: {SURVIVORS.get(name, 'not explained')}")
    enough = caught >= FLOOR * len(outcomes)
    if not enough and len(outcomes) == len(FAULTS):
        print(f"at least {FLOOR:.0%} have to be caught")
    return int(bool(unexplained) or (not enough and len(outcomes) == len(FAULTS)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
