"""The report's JSON: canonical, of the published schema, and read back to an equal report."""

from __future__ import annotations

import json
from fractions import Fraction

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codesign.report import Ratio, Report, canonical
from codesign.report.canonical import Many
from tests.report.example import example

KEYS = (
    "schema model hardware memory operations cycles budget results not_modelled".split()  # noqa: SIM905
)


@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("results", [True, False])
def test_json_satisfies_the_schema(fits: bool, results: bool) -> None:
    report = example(fits=fits, results=results)
    schema = Report.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(report.to_json()), schema)
    assert report.fits is fits


def test_schema_refuses_another_key() -> None:
    facts = json.loads(example().to_json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(facts | {"extra": 1}, Report.json_schema())
    del facts["cycles"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(facts, Report.json_schema())


def test_keys_and_version() -> None:
    facts = json.loads(example().to_json())
    assert list(facts) == KEYS
    assert facts["schema"] == 1
    assert facts["cycles"]["frames_per_second"] == {"numerator": 31250000, "denominator": 1979}
    with pytest.raises(ValidationError):
        Report.from_json(canonical(facts | {"schema": 2}))


def test_no_floats() -> None:
    def floats(value: object) -> list[float]:
        if isinstance(value, dict):
            return [f for item in value.values() for f in floats(item)]
        if isinstance(value, list):
            return [f for item in value for f in floats(item)]
        return [value] if isinstance(value, float) else []

    assert floats(json.loads(example().to_json())) == []


def test_round_trip() -> None:
    report = example()
    again = Report.from_json(report.to_json())
    assert again == report
    assert again.to_json() == report.to_json()


def test_problems() -> None:
    assert example().problems == []
    memory, budget = example(fits=False).problems
    assert memory.startswith("weights need 1,024,064 b, asic builds 1,000,000 b")
    assert budget.startswith("latency needs 20.480 ms")


def test_ratio_is_in_lowest_terms() -> None:
    ratio = Ratio.of(Fraction(6, 4))
    assert (ratio.numerator, ratio.denominator) == (3, 2)
    assert ratio.value == Fraction(3, 2)


scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=40
)


@given(values)
def test_canonical_is_json(value: object) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert text.endswith("\n")
    assert canonical(json.loads(text)) == text


def test_canonical_layout() -> None:
    value = {"a": list(range(60)), "b": {"c": 1, "d": [1, 2]}, "e": [{"f": "x" * 100}], "g": []}
    numbers = ", ".join(str(n) for n in range(26)) + ","
    lines = canonical(value).splitlines()
    assert lines[:3] == ["{", '  "a": [', f"    {numbers}"]
    assert lines[5:] == [
        "  ],",
        '  "b": {"c": 1, "d": [1, 2]},',
        '  "e": [',
        "    {",
        f'      "f": "{"x" * 100}"',
        "    }",
        "  ],",
        '  "g": []',
        "}",
    ]


def test_a_list_that_is_made_as_it_is_written() -> None:
    items = [{"a": [], "b": [{"c": 1}], "long": "x" * 90}, {"a": [[1], [2]]}]
    for value in ({"top": {"x": 1, "rows": items}, "last": 0}, items):
        streamed = {"top": {"x": 1, "rows": Many(iter(items))}, "last": 0}
        found = canonical(streamed if isinstance(value, dict) else Many(iter(items)))
        assert found == canonical(value)
