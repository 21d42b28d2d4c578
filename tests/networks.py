"""Checks of whole networks, whatever they are made of: torch against the program, by engine."""

import numpy as np
import torch

from codesign.convert.torch import lower
from codesign.engine import create
from codesign.nn import BitShiftNorm, Input, Layer, ThresholdNorm, network_inputs

ENGINES = ("reference", "numba", "onnxruntime")


def draw(network, count, seed=0):
    """Random codes for each input: `count` samples."""
    random, found = np.random.default_rng(seed), []
    for one in network_inputs(network):
        lo, hi, step = one.codes
        codes = random.integers(0, (hi - lo) // step + 1, (count, *one.shape))
        found.append(codes * step + lo)
    return found


def settle(network, seed=0, batch=2):
    """Two training steps and moved biases, so that thresholds, shifts and means are no defaults."""
    torch.manual_seed(seed)
    network.train()
    with torch.no_grad():
        for step in range(2):
            network(*[torch.from_numpy(x).float() for x in draw(network, batch, seed + step)])
        for module in network.modules():
            if isinstance(module, (BitShiftNorm, ThresholdNorm)):
                module.beta.add_(torch.randn(module.beta.shape) * 0.3)
            if isinstance(module, ThresholdNorm):  # some flip
                module.gamma.mul_(torch.randn(module.gamma.shape).sign())
    return network.eval()


def torch_values(network, arrays):
    """What every layer gives, by its path; repeated calls as in the program."""
    seen = {}

    def keep(path):
        def hook(module, arguments, result):
            again = sum(name.split(".call")[0] == path for name in seen) + 1
            seen[path if again == 1 else f"{path}.call{again}"] = result.numpy().astype(np.int64)

        return hook

    hooks = [
        module.register_forward_hook(keep(path))
        for path, module in network.named_modules()
        if isinstance(module, Layer) and not isinstance(module, Input)
    ]
    with torch.no_grad():
        network(*[torch.from_numpy(array).float() for array in arrays])
    for hook in hooks:
        hook.remove()
    return seen


def assert_executors_agree(network, graph=None, samples=1, seed=1, engines=ENGINES):
    """Every value of every engine is the first engine's, every layer's output in torch too."""
    graph = lower(network) if graph is None else graph
    arrays = draw(network, samples, seed)
    feed = dict(zip(graph.inputs, arrays, strict=True))
    layers, wanted = torch_values(network, arrays), None
    for engine in engines:
        values = create(engine, graph, threads=1).run(feed, keep=graph.results)
        assert set(values) == set(graph.results)
        for path, codes in layers.items():
            assert np.array_equal(values[path], codes), (engine, path)
        if wanted is None:
            wanted = values
        for name, codes in values.items():
            assert np.array_equal(codes, wanted[name]), (engine, name)
    return graph, wanted
