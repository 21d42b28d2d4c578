"""The comparison of two benchmark files, and that the benchmark runs; no speed is judged."""

import json
import sys

import pytest

from benchmarks import compare
from benchmarks.networks import NETWORKS, macs
from benchmarks.peers import candidates, inputs


def results(**factors):
    return {
        "results": [
            {"network": "n", "batch": 1, "threads": 2, "ours_is_faster_by": factors},
        ]
    }


def run(monkeypatch, tmp_path, old, new):
    for name, found in (("old.json", old), ("new.json", new)):
        (tmp_path / name).write_text(json.dumps(found))
    arguments = ["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    monkeypatch.setattr(sys, "argv", arguments)
    return compare.main()


def test_a_ratio_that_falls_by_over_ten_percent_is_named(monkeypatch, tmp_path, capsys):
    old, new = results(a=5.0, b=2.0, c=1.0), results(a=4.4, b=1.81, d=9.0)
    assert run(monkeypatch, tmp_path, old, new) == 1
    assert capsys.readouterr().out == (
        "n, batch 1, 2 threads, against a: 5.00 x before, 4.40 x now\n"
        "1 of 2 ratios fell by over 10%\n"
    )
    assert run(monkeypatch, tmp_path, old, results(a=4.51)) == 0
    capsys.readouterr()
    assert run(monkeypatch, tmp_path, old, results(z=1.0)) == 2
    assert capsys.readouterr().err == "the files have no measurement in common\n"


@pytest.mark.parametrize("name", ["cnv_1b", "cnv_2b"])
def test_the_common_size_has_its_products(name):
    graph = NETWORKS[name]()
    assert macs(graph) == 59_461_376
    assert {graph.values[n.name].type.storage_bits for n in graph.nodes if n.op == "hwmsb"} == {
        int(name[4])
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the peers' own exporters
def test_every_candidate_runs_and_the_exact_ones_agree():
    graph = NETWORKS["nqe"]()
    found = {}
    for candidate in candidates(graph, 32, 2):
        if "compiled" in candidate.name or "naive" in candidate.name:
            continue  # minutes of compilation, or of loops
        result = candidate.make()()
        assert candidate.exact or not candidate.ours
        if candidate.exact:
            found[candidate.name] = result
    assert len(found) >= 2
    outputs = [
        list(result.values()) if isinstance(result, dict) else result for result in found.values()
    ]
    for other in outputs[1:]:
        assert all((a == b).all() for a, b in zip(outputs[0], other, strict=True))
    assert inputs(graph, 2)["image"].shape == (2, 3, 32, 32)
