"""Peak memory of a run beside what it cannot do without: the model and one batch of activations.

Measured in a process of its own, from after its imports and one image of another program: what
the interpreter and the compiler take is no matter of the network. The first run also loads the
network's kernels from disk; a second engine finds them there.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.networks import NETWORKS
from benchmarks.peers import inputs
from codesign.engine import create
from codesign.ir import Graph, IntArray


def needed(graph: Graph, images: int) -> int:
    """Bytes of the weights and of a batch's largest pair of maps, a code in its narrowest type."""
    size = {name: v.size * v.type.dtype.itemsize for name, v in graph.values.items()}
    weights = sum(size[name] for name in graph.constants)
    # between a product and its activation there need be no map
    maps = {name for name in graph.results if graph.values[name].type.dtype.itemsize == 1}
    pairs = (
        size[node.name] + sum(size[name] for name in node.inputs if name in maps)
        for node in graph.nodes
        if node.name in maps
    )
    return weights + images * max((*pairs, *(size[name] for name in graph.inputs)))


def peak(network: str, images: int, threads: int) -> dict[str, Any]:
    """Bytes that a run of a batch added to a process, beside what it needs at least.

    `added` and its `ratio` are those of the first run, `again` and `ratio_again` of a second one.
    """
    command = [sys.executable, "-m", "benchmarks.memory", network, str(images), str(threads)]
    subprocess.run(command, check=True, capture_output=True)  # kernels are on disk now
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measure(network: str, images: int, threads: int) -> dict[str, Any]:
    other = NETWORKS["cnv_2b" if network != "cnv_2b" else "cnv_1b"]()
    create("numba", other, threads=threads).run(inputs(other, 1))
    graph = NETWORKS[network]()
    given = inputs(graph, images)
    added, again = (_added(graph, given, threads) for _ in range(2))
    least = needed(graph, images)
    return {
        "network": network, "batch": images, "threads": threads, "added": added, "again": again,
        "needed": least, "ratio": added / least, "ratio_again": again / least,
    }  # fmt: skip


def _added(graph: Graph, given: dict[str, IntArray], threads: int) -> int:
    """Bytes at the peak of a run by an engine of its own, with the batch, over those before."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free now would hide what the run takes
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
    create("numba", graph, threads=threads).run(given)
    # the batch itself is there before and after
    return _status("VmHWM") - before + sum(array.nbytes for array in given.values())


def _status(field: str) -> int:
    """Bytes of a field of the process's status (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    name, batch, count = sys.argv[1:]
    print(json.dumps(_measure(name, int(batch), int(count))))
