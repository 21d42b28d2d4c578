"""JUnit XML: what a continuous-integration server shows as passed and failed cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from codesign.report.model import Report

#: Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One check: passed where `failure` is empty, else its one-line message."""

    group: str
    name: str
    failure: str = ""


def junit(suite: str, cases: Sequence[Case]) -> bytes:
    """The cases as a JUnit document; no times or host names, so equal results give equal bytes."""
    failures = sum(bool(case.failure) for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    root = ElementTree.Element("testsuites", counts)
    parent = ElementTree.SubElement(root, "testsuite", {"name": _legal(suite), **counts})
    for case in cases:
        names = {"classname": _legal(case.group), "name": _legal(case.name)}
        element = ElementTree.SubElement(parent, "testcase", names)
        if case.failure:
            message = {"message": _legal(case.failure), "type": "failure"}
            ElementTree.SubElement(element, "failure", message)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def report_cases(report: Report) -> list[Case]:
    """A case for every built memory and every budget line."""
    cases = [Case("memory", use.name, use.message) for use in report.memory.memories]
    return cases + [Case("budget", line.name, line.message) for line in report.budget]


def _legal(text: str) -> str:
    return _ILLEGAL.sub("?", text)
