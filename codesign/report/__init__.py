"""The typed report and its renderings."""

from codesign.report._format import plural
from codesign.report.canonical import canonical
from codesign.report.model import SCHEMA, Ratio, Report

__all__ = ["SCHEMA", "Ratio", "Report", "canonical", "plural"]
