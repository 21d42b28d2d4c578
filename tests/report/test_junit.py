"""JUnit XML from a report and from any cases."""

from __future__ import annotations

from xml.etree import ElementTree

from codesign.report.junit import Case, junit, report_cases
from tests.report.example import example


def test_report() -> None:
    report = example(fits=False)
    root = ElementTree.fromstring(junit("example on asic", report_cases(report)))
    suite = root[0]
    assert (root.tag, suite.tag, suite.get("name")) == (
        "testsuites",
        "testsuite",
        "example on asic",
    )
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "2", "0")
    names = [(case.get("classname"), case.get("name"), len(case)) for case in suite]
    assert names == [
        ("memory", "weights", 1),
        ("memory", "activations 0", 0),
        ("memory", "skip", 0),
        ("budget", "weights", 0),
        ("budget", "latency", 1),
    ]
    assert [failure.get("message") for failure in suite.iter("failure")] == report.problems


def test_text_that_xml_cannot_hold() -> None:
    data = junit("a\x00b", [Case("layer", 'conv<"&>', "\x1b[1m\ud800")])
    case = ElementTree.fromstring(data)[0][0]
    assert case.get("name") == 'conv<"&>'
    assert case[0].get("message") == "?[1m?"


def test_same_bytes() -> None:
    cases = report_cases(example())
    assert junit("x", cases) == junit("x", cases)
