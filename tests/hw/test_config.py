"""Configurations: what loads, what is built, and one line for everything that is wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
import yaml

from codesign.errors import CodesignError
from codesign.hw import Hardware, shipped
from codesign.hw.quantity import ENERGY, FREQUENCY, SIZE, TIME, Dimension, written

GOOD = """\
schema: 1
name: small
clock: 10 MHz
lanes: {input: 4, output: 4, weight: 3 b}
weight_word: 12 b
bias: 16 b
accumulator: {pixels: 16, width: 20 b}
memories:
  weights: {capacity: 48 kb}
  parameters: {capacity: 4 kb}
  program: {capacity: 8 kb}
  activations: {capacity: 16 Kib, banks: 2}
energy:
  weight_read: {energy: 2.5 pJ, source: a made-up number for tests}
budget:
  latency: 5 ms
"""
PRICES = """\
energy:
  weight_read: {energy: 2.5 pJ, source: a made-up number for tests}
"""
SIZES = "give a size such as '1 Mb' (b, kb, Mb, Gb, Kib, Mib, Gib, B, kB, MB, GB, KiB, MiB, GiB)"


def message(text: str) -> str:
    with pytest.raises(CodesignError) as caught:
        Hardware.parse(text, "m.yaml")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestShipped:
    def test_all_of_them(self) -> None:
        assert list(shipped()) == [
            "asic_1mb",
            "asic_2mb",
            "asic_3mb",
            "asic_4mb",
            "asic_video",
            "tiny",
        ]

    @pytest.mark.parametrize(
        "name", ["asic_1mb", "asic_2mb", "asic_3mb", "asic_4mb", "asic_video", "tiny"]
    )
    def test_load_by_name_and_by_path(self, name: str) -> None:
        by_name = Hardware.load(name)
        assert by_name == Hardware.load(shipped()[name])
        assert by_name.name == name

    def test_what_asic_1mb_builds(self) -> None:
        machine = Hardware.load("asic_1mb")
        assert machine.weight_words * 48 == 999_984  # the whole words in 1 Mb
        assert (machine.bank_words, machine.activation_word) == (4096, 32)
        assert (machine.parameter_words, machine.parameter_word) == (125, 256)
        assert machine.program_words == 17
        assert machine.accumulator_bits == 2 * 64 * 16 * 20
        assert machine.clock.amount == 100_000_000

    @pytest.mark.parametrize(
        "name", ["asic_1mb", "asic_2mb", "asic_3mb", "asic_4mb", "asic_video", "tiny"]
    )
    def test_json_schema_accepts_it(self, name: str) -> None:
        schema = Hardware.json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(yaml.safe_load(shipped()[name].read_text()), schema)

    @pytest.mark.parametrize(
        ("old", "new"),
        [("10 MHz", "10"), ("10 MHz", "-1 Hz"), ("clock", "clocks"), ("schema: 1", "schema: 2")],
    )
    def test_json_schema_refuses_what_load_refuses(self, old: str, new: str) -> None:
        message(GOOD.replace(old, new))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(GOOD.replace(old, new)), Hardware.json_schema())

    def test_dump_and_parse_again(self) -> None:
        machine = Hardware.parse(GOOD)
        again = yaml.safe_dump(machine.model_dump(by_alias=True, mode="json", exclude_none=True))
        assert Hardware.parse(again) == machine


class TestMessages:
    """Each wrong file, word for word; the line is that of the key."""

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (
                "weights: {capacity",
                "weights: {capcity",
                "m.yaml:9: memories.weights.capcity is not a key here; did you mean capacity?",
            ),
            ("48 kb", "48000", f"m.yaml:9: memories.weights.capacity is '48000', without a unit; "
             f"{SIZES}"),
            ("48 kb", "-48 kb", "m.yaml:9: memories.weights.capacity is '-48 kb', negative; "
             "give a size above 0"),
            ("48 kb", "0 kb", "m.yaml:9: memories.weights.capacity is '0 kb', zero; "
             "give a size above 0"),
            ("48 kb", "48 kbit", "m.yaml:9: memories.weights.capacity is '48 kbit'; 'kbit' is not "
             f"a unit of size; {SIZES}"),
            ("48 kb", "0.5 b", "m.yaml:9: memories.weights.capacity is '0.5 b', not a whole number "
             f"of bits; {SIZES}"),
            ("48 kb", "big", f"m.yaml:9: memories.weights.capacity is 'big', not a size; {SIZES}"),
            ("48 kb", "[1]", f"m.yaml:9: memories.weights.capacity is [1], not a size; {SIZES}"),
            ("48 kb", "11 b", "m.yaml:9: memories.weights.capacity is 11 b, less than one word of "
             "12 b; build at least 12 b"),
            ("4 kb", "63 b", "m.yaml:10: memories.parameters.capacity is 63 b, less than one word "
             "of 64 b; build at least 64 b"),
            ("8 kb}\n  act", "400 b}\n  act", "m.yaml:11: memories.program.capacity is 400 b, less "
             "than one word of 448 b; build at least 448 b"),
            ("16 Kib", "15 b", "m.yaml:12: memories.activations.capacity is 15 b, less than one "
             "word of 8 b in each of 2 banks; build at least 16 b"),
            ("banks: 2}", "banks: 2}\n  skip: {capacity: 7 b}", "m.yaml:13: memories.skip.capacity "
             "is 7 b, less than one word of 8 b; build at least 8 b"),
            ("{capacity: 48 kb}", "48 kb", "m.yaml:9: memories.weights is '48 kb', not a table; "
             "give the keys capacity"),
            ("banks: 2", "banks: 1", "m.yaml:12: memories.activations.banks is 1; "
             "give 2 or more"),
            ("banks: 2", "banks: 9", "m.yaml:12: memories.activations.banks is 9; give 8 or less"),
            ("banks: 2", "banks: two", "m.yaml:12: memories.activations.banks is 'two', "
             "not a whole number; give one such as 16"),
            ("input: 4", "input: yes", "m.yaml:4: lanes.input is True, not a whole number; "
             "give one such as 16"),
            ("input: 4", "input: 6", "m.yaml:4: lanes.input is 6, not a power of two; "
             "codes share lanes by it"),
            ("weight: 3 b", "weight: 9 b", "m.yaml:4: lanes.weight is 9 b, more than 8 b; "
             "give 1 b to 8 b"),
            ("weight_word: 12 b", "weight_word: 2 b", "m.yaml:5: weight_word is 2 b, narrower than "
             "one weight of 3 b; no weight fits"),
            ("bias: 16 b", "bias: 24 b", "m.yaml:6: bias is 24 b, wider than an accumulator of "
             "20 b; store narrower biases or build wider accumulators"),
            ("pixels: 16", "pixels: 15", "m.yaml:7: accumulator.pixels is 15, odd; two banks take "
             "turns, give an even number"),
            ("latency", "latncy", "m.yaml:16: budget.latncy is not a key here; "
             "did you mean latency?"),
            ("latency: 5 ms", "wafers: 3", "m.yaml:16: budget.wafers is not a key here; known are "
             "weights, stored_weights, parameters, activations, on_chip, latency, energy"),
            ("5 ms", "5 MHz", "m.yaml:16: budget.latency is '5 MHz'; 'MHz' is not a unit of time; "
             "give a time such as '20 ms' (s, ms, us, ns, ps)"),
            ("clock: 10 MHz", "clock: 10", "m.yaml:3: clock is '10', without a unit; give a "
             "frequency such as '100 MHz' (Hz, kHz, MHz, GHz)"),
            ("clock: 10 MHz\n", "", "m.yaml:1: clock is missing; give it "
             "(a frequency such as '100 MHz')"),
            ("bias: 16 b\n", "", "m.yaml:1: bias is missing; give it "
             "(bits of one stored bias, two's complement)"),
            ("lanes: {input: 4, output: 4, weight: 3 b}\n", "", "m.yaml:1: lanes is missing; "
             "give it (a table with the keys input, output, weight)"),
            (", source: a made-up number for tests", "", "m.yaml:14: "
             "energy.weight_read.source is missing; give it (paper and table, or measurement)"),
            ("source: a made-up number for tests", "source: ''", "m.yaml:14: "
             "energy.weight_read.source is '', empty; write at least one letter"),
            ("  weight_read: {", "  weigt_read: {", "m.yaml:14: energy.weigt_read is not a key "
             "here; did you mean weight_read?"),
            ("name: small", "name: 3", "m.yaml:2: name is 3, not text; give a word or a sentence"),
            ("name: small", "name: a b", "m.yaml:2: name is 'a b', not a name; use letters, "
             "digits, '.', '_', '-', a letter or a digit first"),
            ("name: small", "name: small\nname: two", "m.yaml:3: name is given twice, first in "
             "line 2; give it once"),
            ("name: small", "? [1]\n: 2", "m.yaml:2: a key is a list or a table; use a plain word"),
            ("name: small", "name: &n small\nnames: *n", "m.yaml:3: names is an alias; "
             "write the value out"),
            ("schema: 1", "schema: 2", "m.yaml:1: schema is 2; this version reads schema 1; use "
             "that, or a newer codesign"),
            ("schema: 1\n", "", "m.yaml:1: schema is missing; begin with 'schema: 1'"),
            ("energy:", "units: {argmax: 1}\nenergy:", "m.yaml:13: units.argmax is 1, not a "
             "switch; give true or false"),
            ("energy:", "units: {lstm: true}\nenergy:", "m.yaml:13: units.lstm is not a key here; "
             "known are threshold_unit, pool_unit, argmax"),
        ],
    )  # fmt: skip
    def test_one_line(self, old: str, new: str, expected: str) -> None:
        assert old in GOOD
        assert message(GOOD.replace(old, new, 1)) == expected

    def test_more_banks_than_the_machine_addresses(self) -> None:
        line = next(line for line in GOOD.splitlines() if "activations:" in line)
        indent = line.split("activations")[0]
        many = line.replace("banks: 2", "banks: 8") + f"\n{indent}skip: {{capacity: 1 Kib}}"
        number = GOOD.splitlines().index(line) + 1
        assert message(GOOD.replace(line, many)) == (
            f"m.yaml:{number}: memories.activations.banks is 8 beside a skip memory; the machine "
            "addresses 8 in all, build fewer banks or leave out skip"
        )

    def test_an_energy_table_without_entries(self) -> None:
        text = GOOD.replace(PRICES, "energy: {}\n")
        assert message(text) == (
            "m.yaml:13: energy has no entry; give at least one event or leave the table out"
        )

    def test_an_energy_budget_without_energy_table(self) -> None:
        text = GOOD.replace(PRICES, "").replace("latency: 5 ms", "energy: 1 uJ")
        assert message(text) == (
            "m.yaml:14: budget.energy has no energy table to be counted with; add one or remove it"
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "m.yaml: is empty; write a configuration, 'schema: 1' first"),
            ("# nothing\n", "m.yaml: is empty; write a configuration, 'schema: 1' first"),
            ("- 1\n", "m.yaml:1: is not a table of keys and values; begin with 'schema: 1'"),
            ("a: [1\nb: 2\n", "m.yaml:2: is not YAML (expected ',' or ']', but got ':'); "
             "correct the syntax"),
            ("a: \x00", "m.yaml: is not YAML (unacceptable character #x0000: special characters "
             "are not allowed); correct the syntax"),
            ("[" * 5000, "m.yaml: is nested too deeply; use the keys of the schema"),
        ],
    )  # fmt: skip
    def test_not_a_configuration(self, text: str, expected: str) -> None:
        assert message(text) == expected


class TestFiles:
    def test_errors_name_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text(GOOD.replace("clock", "clok"))
        with pytest.raises(CodesignError) as caught:
            Hardware.load(path)
        assert str(caught.value) == f"{path}:3: clok is not a key here; did you mean clock?"

    def test_missing_folder_binary(self, tmp_path: Path) -> None:
        known = (
            "give the path of a .yaml file or one of asic_1mb, asic_2mb, asic_3mb, asic_4mb, "
            "asic_video, tiny"
        )
        for path, expected in (
            (tmp_path / "no.yaml", f"cannot be read (no such file or directory); {known}"),
            (tmp_path, f"cannot be read (is a directory); {known}"),
        ):
            with pytest.raises(CodesignError) as caught:
                Hardware.load(path)
            assert str(caught.value) == f"{path}: {expected}"
        (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(CodesignError) as caught:
            Hardware.load(tmp_path / "b.yaml")
        assert str(caught.value).endswith("b.yaml: is not text (UTF-8); give a .yaml file")

    def test_unknown_names(self) -> None:
        for name, hint in (
            ("asic_1m", "did you mean asic_1mb?"),
            ("zzz", "known are asic_1mb, asic_2mb, asic_3mb, asic_4mb, asic_video, tiny"),
        ):
            with pytest.raises(CodesignError) as caught:
                Hardware.load(name)
            assert str(caught.value) == (
                f"{name}: no configuration has this name; {hint} (or give the path of a .yaml file)"
            )


class TestQuantities:
    @pytest.mark.parametrize(
        ("dimension", "text", "amount"),
        [
            (SIZE, "1.6 Mb", 1_600_000),
            (SIZE, "1 Mib", 1_048_576),
            (SIZE, "48kb", 48_000),
            (SIZE, "2 KiB", 16_384),
            (SIZE, "1 kB", 8_000),
            (FREQUENCY, "0.5 GHz", 500_000_000),
            (TIME, "20 ms", Fraction(1, 50)),
            (ENERGY, "0.2 pJ", Fraction(2, 10**13)),
        ],
    )
    def test_exact(self, dimension: Dimension, text: str, amount: Fraction) -> None:
        assert dimension.parse(text).amount == amount

    def test_written_for_messages(self) -> None:
        assert written(Fraction(1_024_064), "b") == "1,024,064 b"
        assert written(Fraction(357_668, 10**8), "s") == "3.577 ms"
        assert written(Fraction(1, 10**12), "s") == "0.001 ns"
        assert written(Fraction(5, 10**13), "J") == "500.000 fJ"
