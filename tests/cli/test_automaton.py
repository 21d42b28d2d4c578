"""`codesign automaton`."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Command


def test_json_holds_what_is_measured(codesign: Command) -> None:
    ended = codesign("automaton", "--rule", 90, "--cells", 64, "--seed", 9, "--rows", 8, "--json")
    facts = json.loads(ended.out)
    assert ended.code == 0
    assert (facts["columns"], facts["rank"], facts["dead"], facts["repeated"]) == (32, 0, 8, 7)
    assert facts["codes"] == [[-1, 0], [0, 256], [1, 0]]
    assert facts["expected"] == [[-1, 64.0], [0, 128.0], [1, 64.0]]
    assert facts["warnings"][0].startswith("rule 90 on a ring of 64 cells")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", 0), "ca_weights: attribute seed is 0; give 1 to 4294967295"),
        (("--seed", 1, "--columns", 33),
         "ca_weights: a row of 33 weights takes 66 cells, the ring has 64; use 66 cells or more"),
        (("--seed", 1, "--mapping", "three"),
         "mapping 'three' is not known; choose ternary, balanced, binary"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line(
    codesign: Command, options: tuple[object, ...], message: str
) -> None:
    ended = codesign("automaton", "--cells", 64, "--rows", 8, *options)
    assert (ended.code, ended.out, ended.err) == (2, "", f"codesign: error: {message}\n")
