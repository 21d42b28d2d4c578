"""The parameters of the Verilog, all from the machine's description."""

from __future__ import annotations

from codesign.hw import Hardware


def parameters(hardware: Hardware) -> dict[str, int]:
    """Value of every parameter of `codesign_accelerator`, by its name there."""
    units = hardware.units
    return {
        "InputLanes": hardware.lanes.input,
        "OutputLanes": hardware.lanes.output,
        "WeightBits": int(hardware.lanes.weight),
        "WeightWord": int(hardware.weight_word),
        "BiasBits": int(hardware.bias),
        "Pixels": hardware.accumulator.pixels,
        "AccBits": int(hardware.accumulator.width),
        "WeightDepth": hardware.weight_words,
        "ParameterDepth": hardware.parameter_words,
        "ProgramDepth": hardware.program_words,
        "BankDepth": hardware.bank_words,
        "Banks": hardware.memories.activations.banks,
        "SkipDepth": hardware.skip_words,
        "HasThreshold": int(units.threshold_unit),
        "HasPool": int(units.pool_unit),
        "HasArgmax": int(units.argmax),
    }
