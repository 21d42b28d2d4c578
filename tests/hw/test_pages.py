"""What the hardware pages say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from codesign.hw import Hardware, plan
from codesign.hw.config import Units
from codesign.hw.descriptor import DESCRIPTOR_BITS, FIELDS, beyond, table
from codesign.hw.plan import Cycles, Events
from codesign.hw.quantity import ENERGY, FREQUENCY, SIZE, TIME
from codesign.ir import GraphBuilder, IntType, code_set, unsigned
from tests.hw import networks

PAGES = Path(__file__).parents[2] / "docs" / "hardware"
ROW = re.compile(r"^\| (.+?) \| +(.+?) \|(?: (.+?) \|)?$", re.M)


def rows(page: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table below a heading."""
    text = (PAGES / page).read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [tuple(cell for cell in row if cell) for row in ROW.findall(section)]
    return found[2:]


class TestSchedule:
    def test_the_layer_counted_by_hand(self) -> None:
        rng = np.random.default_rng(0)
        b = GraphBuilder("hand")
        x = b.input("x", (16, 4, 4), unsigned(2))
        w = b.constant("w", networks.codes(rng, code_set(3), (16, 8, 3, 3)), code_set(3))
        y = b.node("conv", "conv", [x, w], groups=2, padding=(1, 1))
        y = b.node(
            "norm",
            "bit_shift_norm",
            [y, b.constant("b", np.zeros(16, dtype=np.int64), IntType(0, 0))],
        )
        y = b.node("pool", "max_pool", [b.node("code", "hwmsb", [y])])
        b.output(b.node("shuffle", "channel_shuffle", [y], groups=2))
        layer = plan(b.build(), Hardware.load("tiny")).layers[1]
        counted = {cause: int(cycles) for cause, cycles in rows("schedule.md", "One layer by hand")}
        assert counted == {**dict(layer.cycles), "total": layer.cycles.total}
        assert layer.macs == 18_432
        assert layer.events.weight_read == layer.weight_words == 216
        assert layer.utilization is not None
        assert round(layer.utilization * 1000) == 966

    def test_the_nqe(self) -> None:
        result = plan(networks.nqe(), Hardware.load("asic_1mb"))
        convolutions = [layer for layer in result.layers if layer.kind.startswith("conv")]
        macs = sum(layer.macs for layer in convolutions)
        compute = sum(layer.cycles.compute for layer in convolutions)
        expected = [
            (name, str(count), f"{float(count * 256 / macs):.3f}")
            for name, count in (
                ("convolutions, compute", compute),
                ("whole frame", result.cycles.total),
            )
        ]
        assert rows("schedule.md", "The NQE on asic_1mb")[-2:] == expected
        text = (PAGES / "schedule.md").read_text(encoding="utf-8")
        assert f"{macs:,} multiply-accumulates, {macs // 256:,} cycles" in text

    def test_every_cause_is_described(self) -> None:
        text = (PAGES / "schedule.md").read_text(encoding="utf-8")
        listed = re.findall(r"^\| `(\w+)` \| \w", text, re.M)
        assert listed == [cause for cause, _ in Cycles()]


class TestMachine:
    def test_the_descriptor(self) -> None:
        text = (PAGES / "machine.md").read_text(encoding="utf-8")
        assert table() in text
        assert f"{DESCRIPTOR_BITS} b in all" in text
        assert len({field.name for field in FIELDS}) == len(FIELDS)

    def test_limits_of_fields(self) -> None:
        assert beyond({"kernel_rows": 63}) == ""
        assert beyond({"kernel_rows": 64}) == "kernel_rows is 64, the descriptor holds at most 63"


class TestConfiguration:
    def test_every_key_is_described(self) -> None:
        schema = Hardware.json_schema()
        keys = []

        def walk(node: dict[str, object], prefix: str) -> None:
            for option in node.get("anyOf", [node]):  # type: ignore[attr-defined]
                name = str(option.get("$ref", "")).rpartition("/")[2]
                part = schema["$defs"][name] if name else option
                if part.get("type") == "null":
                    continue
                if "properties" not in part:
                    keys.append(prefix)
                for key, child in part.get("properties", {}).items():
                    walk(child, f"{prefix}.{key}".lstrip("."))

        walk(schema, "")
        events = "|".join(event for event, _ in Events())
        expected = list(dict.fromkeys(re.sub(rf"\.({events})\.", ".EVENT.", key) for key in keys))
        assert [key.strip("`") for key, _ in rows("configuration.md", "Keys")] == expected
        text = (PAGES / "configuration.md").read_text(encoding="utf-8")
        assert all(f"`{event}`" in text for event, _ in Events())
        assert all(f"`units.{unit}`" in text for unit in Units.model_fields)

    def test_every_unit_is_described(self) -> None:
        listed = dict(rows("configuration.md", "Quantities"))
        for dimension in (FREQUENCY, TIME, ENERGY):
            assert re.findall(r"`(\w+)`", listed[dimension.name]) == list(dimension.units)
        assert set(re.findall(r"`(\w+)`", listed["size"])) <= set(SIZE.units)

    @pytest.mark.parametrize(
        "name", ["asic_1mb", "asic_2mb", "asic_3mb", "asic_4mb", "asic_video", "tiny"]
    )
    def test_shipped_table(self, name: str) -> None:
        text = (PAGES / "configuration.md").read_text(encoding="utf-8")
        machine = Hardware.load(name)
        lanes = f"{machine.lanes.input} x {machine.lanes.output}"
        memories = machine.memories
        row = (
            f"| `{name}` | {lanes} | {memories.weights.capacity} | {memories.activations.capacity}"
        )
        assert row in text
