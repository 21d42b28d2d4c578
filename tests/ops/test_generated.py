"""Weights that a cellular automaton makes."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.ir import GraphBuilder, IntArray, IntType, check, lookup
from tests.ops.contract import Case, OpContract, Tally, build, case, refuse

_ROW: dict[str, Any] = {"shape": (4, 6), "cells": 24, "seed": 0x5EED}


class TestCaWeights(OpContract):
    op = "ca_weights"
    cases = (
        *(case(shape=shape, cells=64, seed=12345, mapping=mapping)
          for shape in ((5, 20), (4, 3, 2), (4, 2, 3, 3), (3, 2, 2, 2, 2)) for mapping in range(3)),
        # rules, seeds up to 32 bits, warm-ups, steps a row; rings that are not full
        *(case(shape=(6, 20), cells=60, seed=(1 << 32) - 1, rule=rule, mapping=2)
          for rule in (0, 45, 90, 110, 150, 255)),
        *(case(shape=(6, 20), cells=40, seed=1, warm_up=warm_up, steps=steps)
          for warm_up, steps in ((0, 1), (1, 2), (100, 5))),
        case(shape=(6, 20), cells=301, seed=77, warm_up=301, mapping=1),
        case(shape=(3, 1), cells=3, seed=5, mapping=2),
        case(shape=(3, 1), cells=3, seed=7),
        case(shape=(32, 64, 1, 1), cells=128, seed=2024, warm_up=128),
    )  # fmt: skip
    refusals = (
        refuse("w: ca_weights: attribute seed is 0; give 1 to 4294967295",
               shape=(4, 6), cells=24, seed=0),
        refuse("w: ca_weights: a row of 6 weights takes 12 cells, the ring has 11; use 12 cells "
               "or more", shape=(4, 6), cells=11, seed=1),
        refuse("w: ca_weights: a row of 18 weights takes 54 cells, the ring has 53; use 54 cells "
               "or more", shape=(4, 2, 3, 3), cells=53, seed=1, mapping=1),
        refuse("w: ca_weights: a row of 6 weights takes 6 cells, the ring has 5; use 6 cells or "
               "more", shape=(4, 6), cells=5, seed=1, mapping=2),
        refuse("w: ca_weights: seed 4096 has 13 bits, the ring has 12 cells; use a seed below 4096",
               shape=(4, 6), cells=12, seed=4096),
        refuse("w: ca_weights: attribute shape is (6,); give outputs, then the sizes of a row",
               shape=(6,), cells=12, seed=1),
        refuse("w: ca_weights: attribute rule is 256; give 0 to 255", **_ROW, rule=256),
        refuse("w: ca_weights: attribute mapping is 3; give 0 to 2", **_ROW, mapping=3),
        refuse("w: ca_weights: attribute steps is 0; give 1 to 1024", **_ROW, steps=0),
    )  # fmt: skip
    # 10 + 4 * 2 steps of 24 cells; one difference of two bits a weight
    cost = case(**_ROW, warm_up=10, steps=2), {"logic 1b": 24 * 18, "logic 2b": 24}

    def test_engines_are_equal(self, case: Case) -> None:
        """Each weight is read out by a map that is 1 at its place alone."""
        graph = build((), self.op, case.attrs)
        check(graph)
        weight = graph.values["w"]
        assert weight.data is not None
        assert weight.type == (
            IntType(-1, 1, 2) if case.attrs.get("mapping") == 2 else IntType(-1, 1)
        )
        row = int(np.prod(weight.shape[1:]))
        batch = {"x0": np.eye(row, dtype=np.uint8).reshape(row, *weight.shape[1:])}
        for engine in ENGINES:
            found = create(engine, graph, threads=1).run(batch)["y"]
            assert np.array_equal(found.reshape(row, -1).T, weight.data.reshape(-1, row)), engine

    def test_plain_definition_agrees(self, case: Case) -> None:
        graph = build((), self.op, case.attrs)
        node, weight = graph.nodes[0], graph.values["w"]
        tally = Tally(())
        assert self.plain(tally, **node.attrs).tolist() == weight.data.tolist()  # type: ignore[union-attr]
        cost = lookup(self.op).cost(**node.attrs)
        assert cost.total("logic") == tally.counts["logic"]

    def plain(self, tally: Tally, **attrs: Any) -> IntArray:
        cells, rule, mapping = attrs["cells"], attrs["rule"], attrs["mapping"]
        outputs, *rest = attrs["shape"]
        m = int(np.prod(rest))
        ring = [attrs["seed"] >> i & 1 for i in range(cells)]

        def step() -> None:
            tally("logic", cells)
            ring[:] = [
                rule >> (4 * ring[i - 1] + 2 * ring[i] + ring[(i + 1) % cells]) & 1
                for i in range(cells)
            ]

        def weight(i: int) -> int:
            if mapping == 2:
                return 2 * ring[i] - 1
            tally("logic")
            if mapping == 1:
                value = 4 * ring[3 * i] + 2 * ring[3 * i + 1] + ring[3 * i + 2]
                return -1 if value <= 2 else 0 if value <= 4 else 1
            return ring[i] - ring[i + m]

        for _ in range(attrs["warm_up"]):
            step()
        y = np.empty((outputs, m), dtype=object)
        for o in range(outputs):
            for _ in range(attrs["steps"]):
                step()
            y[o] = [weight(i) for i in range(m)]
        return y.reshape(attrs["shape"])

    def test_rule_30_is_the_papers(self) -> None:
        """`x[i-1] ^ (x[i] | x[i+1])`, from one cell: the well-known triangle."""
        rows = []
        for warm_up in range(4):
            weight = lookup(self.op).reference(
                shape=(1, 9), rule=30, cells=9, seed=16, warm_up=warm_up, steps=1, mapping=2
            )
            rows.append("".join("#" if code == 1 else "." for code in weight[0]))
        assert rows == ["...###...", "..##..#..", ".##.####.", "##..#...#"]

    def test_vectors_of_the_specification(self) -> None:
        """What Verilog and other programs must make of the same numbers."""
        facts = {"rule": 30, "cells": 256, "seed": 0xC0DE, "warm_up": 256, "steps": 1}
        found = {}
        for mapping, row in ((0, 128), (1, 85), (2, 256)):
            weight = lookup(self.op).reference(shape=(128, row), mapping=mapping, **facts)
            found[mapping] = hashlib.sha256(weight.astype(np.int8).tobytes()).hexdigest()[:16]
        assert found == VECTORS

    def test_the_levels_are_drawn_as_the_paper_says(self) -> None:
        for mapping, cells, shares in ((0, 256, (1 / 4, 1 / 2)), (1, 384, (3 / 8, 1 / 4))):
            weight = lookup(self.op).reference(
                shape=(256, 128), rule=30, cells=cells, seed=99, warm_up=512, steps=1,
                mapping=mapping,
            )  # fmt: skip
            assert abs((weight == -1).mean() - shares[0]) < 0.02
            assert abs((weight == 0).mean() - shares[1]) < 0.02
            assert np.linalg.matrix_rank(weight) == 128

    def test_generated_weights_are_no_result(self) -> None:
        graph = build((), self.op, _ROW)
        assert graph.results == ("y",)
        assert not graph.constants
        builder = GraphBuilder("g")
        builder.input("x", (6,), IntType(0, 1))
        weight = builder.node("w", self.op, [], **_ROW)
        with pytest.raises(CodesignError) as caught:
            builder.output(weight)
        assert str(caught.value) == "output 'w' is generated weights; hand a map out"
        with pytest.raises(CodesignError) as caught:
            builder.node("y", "heaviside", [weight])
        assert str(caught.value) == "y: heaviside: input x is constant; it must be a map"


#: Digests of 128 rows of int8 codes, by mapping.
VECTORS = {0: "37d451f3a034cd99", 1: "57c81e4bb7d83e74", 2: "403d7954e2388918"}
