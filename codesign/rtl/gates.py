"""A plain gate library: what an area in gate equivalents is counted in."""

from __future__ import annotations

from dataclasses import dataclass

#: Transistors of a gate equivalent: a NAND of two inputs.
UNIT = 4


@dataclass(frozen=True, slots=True)
class Gate:
    """A cell in static CMOS: its transistors, and its output Y as a Liberty expression."""

    transistors: int
    function: str


@dataclass(frozen=True, slots=True)
class FlipFlop:
    """A flip-flop: its transistors, and what resets or sets it as Liberty has it."""

    transistors: int
    reset: str = ""


GATES = {
    "INV": Gate(2, "!A"),
    "BUF": Gate(4, "A"),
    "NAND2": Gate(4, "!(A*B)"),
    "NOR2": Gate(4, "!(A+B)"),
    "NAND3": Gate(6, "!(A*B*C)"),
    "NOR3": Gate(6, "!(A+B+C)"),
    "AOI21": Gate(6, "!((A*B)+C)"),
    "OAI21": Gate(6, "!((A+B)*C)"),
    "AOI22": Gate(8, "!((A*B)+(C*D))"),
    "OAI22": Gate(8, "!((A+B)*(C+D))"),
    "XOR2": Gate(10, "A^B"),
    "XNOR2": Gate(10, "!(A^B)"),
    "MUX2": Gate(12, "(A*!S)+(B*S)"),
}
#: One bit each. An enable is a multiplexer before it.
FLIP_FLOPS = {
    "DFF": FlipFlop(20),
    "DFFR": FlipFlop(24, 'clear : "!R";'),
    "DFFS": FlipFlop(24, 'preset : "!R";'),
}


def equivalents(cell: str) -> float:
    """The area of a cell in gate equivalents."""
    found = GATES[cell] if cell in GATES else FLIP_FLOPS[cell]
    return found.transistors / UNIT


def liberty() -> str:
    """The library as a Liberty file: functions and areas, no timing."""
    lines = ["library (plain) {"]
    for name, gate in GATES.items():
        pins = [_input(pin) for pin in "ABCDS" if pin in gate.function]
        lines += _cell(name, gate.transistors, pins, gate.function)
    for name, flop in FLIP_FLOPS.items():
        state = f'ff (IQ, IQN) {{ clocked_on : "C"; next_state : "D"; {flop.reset} }}'
        pins = [_input(pin) for pin in ("C", "D", *("R" if flop.reset else ""))]
        lines += _cell(name, flop.transistors, [state, *pins], "IQ", output="Q")
    return "\n".join([*lines, "}", ""])


def _cell(
    name: str, transistors: int, parts: list[str], function: str, output: str = "Y"
) -> list[str]:
    last = f'pin ({output}) {{ direction : output; function : "{function}"; }}'
    inner = [f"    {part}" for part in (*parts, last)]
    return [f"  cell ({name}) {{", f"    area : {transistors / UNIT};", *inner, "  }"]


def _input(pin: str) -> str:
    return f"pin ({pin}) {{ direction : input; }}"
