"""Whole networks: every map and every cycle counter equal the engine's and the model's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

import codesign
from codesign.hw import Hardware
from codesign.ir import Graph, IntArray
from codesign.rtl.accelerator import Accelerator, Gaps
from codesign.rtl.codes import Operation
from codesign.rtl.image import Image, image
from tests.rtl_models.faults.networks import frames, networks

_GAPS = Gaps(source=90, sink=110)


def check(hardware: Hardware, models: Path | None) -> None:
    """AssertionError or MachineError at the first difference."""
    for name, graph in networks(hardware):
        made = image(graph, hardware)
        accelerator = Accelerator(made, models=models)
        for number, inputs in enumerate(frames(graph)):
            expected = _expected(graph, made, inputs)
            _layers(accelerator, f"{name}, frame {number}", inputs, expected, None)
            if number == 0:  # the same where the streams have gaps, and without a pause
                _layers(accelerator, f"{name}, with gaps", inputs, expected, _GAPS)
                _whole(accelerator, name, inputs, expected)
        accelerator.close()


def _expected(graph: Graph, made: Image, inputs: Mapping[str, IntArray]) -> Mapping[str, IntArray]:
    batch = {name: values[None] for name, values in inputs.items()}
    written = {entry.map.value for entry in made.entries}
    return codesign.run(graph, batch, engine="reference", keep=written)


def _layers(
    accelerator: Accelerator,
    what: str,
    inputs: Mapping[str, IntArray],
    expected: Mapping[str, IntArray],
    gaps: Gaps | None,
) -> None:
    """A frame with a pause behind every layer."""
    total = 0
    for step in accelerator.steps(inputs, gaps=gaps):
        layer = f"{what}, {step.entry.kind} {step.entry.name}"
        assert step.values is not None, "every map is kept"
        wrong = np.count_nonzero(step.values != expected[step.entry.map.value][0])
        assert not wrong, f"{layer}: {wrong} of {step.values.size} codes"
        streamed = step.entry.operation in (Operation.LOAD, Operation.STORE)
        for (cause, counted), (_, predicted) in zip(step.cycles, step.entry.cycles, strict=True):
            assert counted == predicted, f"{layer}: {counted} cycles of {cause}, not {predicted}"
        assert (step.wait == 0) or (gaps and streamed), f"{layer}: {step.wait} cycles of wait"
        total += step.cycles.total + step.wait
    counted = accelerator.frame_cycles
    assert counted == total, f"{what}: {counted} cycles of the frame, not {total}"


def _whole(
    accelerator: Accelerator,
    name: str,
    inputs: Mapping[str, IntArray],
    expected: Mapping[str, IntArray],
) -> None:
    """A frame in one go."""
    for output, values in accelerator.outputs(inputs).items():
        assert np.array_equal(values, expected[output][0]), f"{name}, in one go: {output}"
    total = sum(entry.cycles.total for entry in accelerator.image.entries)
    counted = accelerator.frame_cycles
    assert counted == total, f"{name}, in one go: {counted} cycles, not {total}"
