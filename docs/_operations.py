"""Writes docs/reference/operations.md from the op table: `python docs/_operations.py`."""

from __future__ import annotations

from pathlib import Path

from codesign.ir import Attribute, OpSpec, specs

PAGE = Path(__file__).parent / "reference" / "operations.md"
HEAD = """# Operations

Made from the op table by `python docs/_operations.py`; a test compares it with the table.
Values are integer tensors without their batch axis. Every result's interval is proved from the
intervals of the inputs and the constants' codes, and must fit 32 bits.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    family = ""
    for spec in specs():
        if spec.family != family:
            family = spec.family
            parts.append(f"## {family.capitalize()}\n")
        parts.append(_section(spec))
    return "\n".join(parts)


def _section(spec: OpSpec) -> str:
    inputs = ", ".join(
        f"`{name}` (constant)" if name in spec.constant_inputs else f"`{name}`"
        for name in spec.inputs
    )
    lines = [f"### {spec.name}", "", spec.doc, ""]
    lines.append(f"Inputs: {inputs}. Version {spec.version}. Hardware: `{spec.unit}`.")
    if spec.attributes:
        lines += [
            "",
            "| attribute | meaning | type | default | range |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(attribute) for attribute in spec.attributes]
    return "\n".join(lines) + "\n"


def _row(item: Attribute) -> str:
    default = "required" if item.default is None else str(item.default)
    low = "" if item.lo is None else str(item.lo)
    high = "" if item.hi is None else str(item.hi)
    bounds = f"{low}..{high}" if low or high else "any"
    kind = "integer" if item.kind == "int" else "integers"
    return f"| `{item.name}` | {item.doc} | {kind} | {default} | {bounds} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
