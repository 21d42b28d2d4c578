"""Small random networks for the whole machine, drawn until they have met what there is to meet."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.hw.layout import Layout
from codesign.hw.tiling import input_tiles
from codesign.ir import Graph, IntType
from codesign.rtl import Image, image
from codesign.rtl.codes import Activation, Form, Operation, Reduce
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.faults.networks import Network, Row

#: Codes of every form in every number of lanes that a product or a map of inputs may have.
CODES = {
    (Form.UNSIGNED, 1): (IntType(0, 3), IntType(0, 1)),
    (Form.UNSIGNED, 2): (IntType(0, 15), IntType(0, 9)),
    (Form.UNSIGNED, 4): (IntType(0, 255), IntType(0, 100)),
    (Form.SIGNED, 1): (IntType(-2, 1), IntType(-1, 1)),
    (Form.SIGNED, 2): (IntType(-8, 7), IntType(-5, 3)),
    (Form.SIGNED, 4): (IntType(-128, 127), IntType(-77, 12)),
    (Form.BIPOLAR, 1): (IntType(-1, 1, 2),),
}
#: Levels of weights by the bits that they are stored in.
LEVELS = {1: (2,), 2: (3, 4), 3: (5, 6, 7, 8), 4: (9, 12, 16)}
#: So many results differ, where nothing makes them alike.
VARIED = 12
Bin = tuple[object, ...]


def bins(hardware: Hardware) -> list[Bin]:
    """What the frames of a machine have to meet."""
    widths = range(1, int(hardware.lanes.weight) + 1)
    codes = [code for code in CODES if code[1] <= hardware.lanes.input]
    units, passes = (Operation.PRODUCT, Operation.VECTOR), (False, True)
    found: list[Bin] = [(operation,) for operation in Operation if operation]
    found += [("product", form, lanes, bits) for (form, lanes), bits in product(codes, widths)]
    found += [("vector", form, lanes) for form, lanes in CODES]
    found += [("vector", Form.SIGNED, 8)]
    found += [("activation", *pair) for pair in product(units, Activation)]
    found += [("reduce", *pair) for pair in product(units, Reduce)]
    found += [("pool", *pair) for pair in product(units, passes)]
    found += [("shuffle", *pair) for pair in product(units, passes)]
    found += [("bias", *pair) for pair in product(units, passes)]
    found += [("waits for its writes", unit) for unit in units]
    found += [("pool and sum", Operation.PRODUCT), ("pool and shuffle", Operation.PRODUCT)]
    found += [
        ("writes", form, lanes) for form, lanes in product((Form.UNSIGNED, Form.SIGNED), (1, 2, 4))
    ]
    found += [("writes", Form.BIPOLAR, 1), ("reorder", 1), ("reorder", 2), ("reorder", 4)]
    found += [("windows overlap",), ("a code wider than a word",)]
    names = ("groups", "stride", "padding", "a pad code", "window", "a block to the right",
             "a block below", "several input tiles", "several output tiles",
             "a part of an output tile", "a group begins inside a word", "two inputs",
             "two outputs", "biases read", "weights of step 2")  # fmt: skip
    return found + [(name,) for name in names]


def met(image_: Image) -> set[Bin]:
    """The bins that a network is an example of."""
    found: set[Bin] = set()
    lanes = image_.hardware.lanes
    for entry in image_.entries:
        f = entry.fields
        operation = Operation(f["operation"])
        read, written = 1 << f["input_lanes"], 1 << f["output_lanes"]
        found.add((operation,))
        if max(read, written) > lanes.input:
            found.add(("a code wider than a word",))
        if operation is Operation.REORDER:
            found.add(("reorder", read))
        if operation not in (Operation.PRODUCT, Operation.VECTOR):
            continue
        pool, step = (
            (f["pool_rows"], f["pool_columns"]),
            (f["pool_stride_rows"], f["pool_stride_columns"]),
        )
        reduce = Reduce(f["reduce"])
        found |= {
            ("activation", operation, Activation(f["activation"])),
            ("reduce", operation, reduce),
            ("pool", operation, bool(f["pool"])),
            ("shuffle", operation, f["shuffle"] > 1),
            ("bias", operation, bool(f["bias"])),
            ("writes", Form(f["output_form"]), written),
        }
        form = Form(f["input_form"])
        slow = writes(f, lanes.input, lanes.output) > collects(f, lanes.output)
        if slow and results(f, lanes.output) >= VARIED and plain(f):
            found.add(("waits for its writes", operation))
        if f["pool"] and reduce is Reduce.SUM:
            found.add(("pool and sum", operation))
        if f["pool"] and f["shuffle"] > 1:
            found.add(("pool and shuffle", operation))
        if pool[0] > step[0] or pool[1] > step[1]:
            found.add(("windows overlap",))
        if operation is Operation.VECTOR:
            found.add(("vector", form, read))
            continue
        found.add(("product", form, read, f["weight_bits"]))
        size = f["output_height"], f["output_width"]
        groups = f["output_channels"] // f["group_outputs"]
        source = Layout(f["input_channels"], f["input_height"], f["input_width"], read, lanes.input)
        conditions = {
            "groups": groups > 1,
            "stride": max(f["stride_rows"], f["stride_columns"]) > 1,
            "padding": f["padding_rows"] + f["padding_columns"] > 0,
            "a pad code": f["pad_code"] > 0,
            "window": f["kernel_rows"] * f["kernel_columns"] > 1,
            "a block to the right": size[1] > f["block_columns"],
            "a block below": size[0] > f["block_rows"],
            "several input tiles": len(input_tiles(source, 0, groups)) > 1,
            "several output tiles": f["group_outputs"] > lanes.output,
            "a part of an output tile": f["group_outputs"] % lanes.output > 0,
            "a group begins inside a word": groups > 1
            and f["group_inputs"] * read % lanes.input > 0,
            "weights of step 2": f["weight_step"] == 2,
            "biases read": bool(f["bias"]),
        }
        found |= {(name,) for name, holds in conditions.items() if holds}
    found |= {("two inputs",)} if len(image_.inputs) > 1 else set()
    found |= {("two outputs",)} if len(image_.outputs) > 1 else set()
    return found


def plain(f: Mapping[str, int]) -> bool:
    """Whether a layer's results are as different as what it reads."""
    alike = f["activation"] in (Activation.HEAVISIDE, Activation.SIGN)
    return f["reduce"] == Reduce.NONE and f["shift"] == 0 and not alike


def results(f: Mapping[str, int], output_lanes: int) -> int:
    """Results of a layer that is not reduced."""
    count = -(-f["output_channels"] // output_lanes)
    for axis, size in (("rows", "height"), ("columns", "width")):
        room = f[f"output_{size}"] - f[f"pool_{axis}"]
        count *= room // f[f"pool_stride_{axis}"] + 1
    return count


def writes(f: Mapping[str, int], word_lanes: int, output_lanes: int) -> int:
    """Words that the first result of a layer is written to."""
    channels = range(min(f["group_outputs"] or f["output_channels"], output_lanes))
    each, span = f["shuffle_channels"], 1 << f["output_lanes"]
    targets = [channel % each * f["shuffle"] + channel // each for channel in channels]
    digits = [target * span + digit for target in targets for digit in range(span)]
    return len({digit // word_lanes for digit in digits})


def collects(f: Mapping[str, int], output_lanes: int) -> int:
    """Cycles that a result takes to be collected, at most."""
    window = f["pool_rows"] * f["pool_columns"]
    if f["operation"] == Operation.PRODUCT:
        return window
    return window * min(f["output_channels"], output_lanes) * (1 << f["input_lanes"])


def draw(rng: random.Random, hardware: Hardware) -> tuple[Graph, Image] | None:
    """A network of one or two layers; None where what was drawn does not fit."""
    code, channels = rng.choice(list(CODES)), rng.randint(1, 7)
    size = rng.choice(((), (1, 1), (rng.randint(1, 4), rng.randint(1, 5))))
    shape = (channels, *size)
    rows = tuple(_row(rng, hardware, channels) for _ in range(rng.choice((1, 1, 2))))
    if size and rng.random() < 0.2:
        turned = list(shape)
        rng.shuffle(turned)
        rows = (Row(bias=None, act="", shape=tuple(turned)), *rows[:1])
    # nothing follows an index
    rows = (*(replace(row, end=row.end.replace("argmax", "")) for row in rows[:-1]), rows[-1])
    outputs = (0,) if len(rows) > 1 and rng.random() < 0.3 else ()
    second = (rng.randint(1, 5), 2, 2) if rng.random() < 0.2 else ()
    network = Network(
        "drawn", shape, rng.choice(CODES[code]), rows, outputs, second, rng.getrandbits(30)
    )
    try:
        graph = network.graph()
        made = image(graph, hardware)
    except CodesignError:
        return None
    cycles = sum(entry.cycles.total for entry in made.entries)
    small = cycles < 1500 and len(made.weights) < 150
    return (graph, made) if small else None


def _row(rng: random.Random, hardware: Hardware, channels: int) -> Row:
    levels = rng.choice(LEVELS[rng.randint(1, int(hardware.lanes.weight))])
    kind = rng.choice(("product", "product", "vector"))
    groups = rng.choice([g for g in (1, 1, 2, 3) if channels % g == 0])
    outputs = groups * rng.randint(1, 6) if kind == "product" else 0
    width = outputs or channels
    act = rng.choice(("", "hwmsb", "hwmsb", "heaviside", "sign", "clip"))
    pool = rng.choice((None, None, (2, 2), (1, 2), (2, 1)))
    return Row(
        outputs=outputs,
        groups=groups,
        kernel=(rng.randint(1, 2), rng.randint(1, 3)),
        stride=(rng.choice((1, 1, 2)), rng.choice((1, 1, 2))),
        padding=rng.choice(((0, 0), (rng.randint(0, 2), rng.randint(0, 1)))),
        pad_code=rng.choice((0, 0, 1, -1)),
        levels=levels,
        bias=rng.choice((None, 3, 60, 3000)),
        shift=rng.choice((0, 0, rng.randint(1, 6))),
        act=act,
        bits=rng.randint(1, 6),
        clip=(rng.choice((0, -1, -9, -100)), rng.choice((1, 7, 100))),
        pool=pool,
        pool_stride=rng.choice((pool, pool, (1, 1))),
        shuffle=rng.choice([g for g in (1, 1, 2, 3) if width % g == 0]),
        end=rng.choice(("", "", "", "sum_pool", "argmax")),
    )


def networks(
    rng: random.Random, hardware: Hardware, coverage: Coverage, least: int, most: int
) -> Iterator[tuple[Graph, Image]]:
    """`least` networks, and up to `most` while the coverage lacks something.

    Each meets something new as long as there is any.
    """
    for number in range(most):
        left = coverage.missing
        if number >= least and not left:
            return
        found = None
        for _ in range(1000):
            drawn = draw(rng, hardware)
            found = drawn or found
            if drawn is not None and (not left or met(drawn[1]) & left):
                break
        assert found is not None
        coverage.hit(*met(found[1]) & coverage.counts.keys())
        yield found
