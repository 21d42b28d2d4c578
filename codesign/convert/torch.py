"""Torch network to integer program: trace with torch.fx, let each layer add its own nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch.fx
from torch import nn

from codesign.errors import CodesignError, UnsupportedError
from codesign.ir import Graph, GraphBuilder, IntType, check
from codesign.nn import Input, Layer

#: The node that the class of a classifier comes from.
DECISION = "class"
_COUNTS = ("none", "one", "two", "three", "four")
#: What to use in place of torch's own modules.
_INSTEAD = {
    nn.Conv2d: "QuantConv2d",
    nn.Linear: "QuantLinear",
    nn.BatchNorm2d: "BitShiftNorm",
    nn.BatchNorm1d: "BitShiftNorm",
    nn.LayerNorm: "BitShiftNorm",
    nn.ReLU: "HWMSB",
    nn.ReLU6: "HWMSB",
    nn.Sigmoid: "Heaviside",
    nn.Tanh: "Sign",
    nn.Hardtanh: "Sign",
    nn.MaxPool2d: "MaxPool2d",
    nn.AvgPool2d: "GlobalSum",
    nn.AdaptiveAvgPool2d: "GlobalSum",
    nn.Flatten: "Flatten",
    nn.ChannelShuffle: "ChannelShuffle",
}


def lower(module: nn.Module, *, name: str | None = None) -> Graph:
    """The integer program of `module` in evaluation mode; `module` is not changed.

    Any composition of codesign.nn layers lowers: containers, custom modules, branches, several
    inputs or outputs. Each input goes through an `Input` (`ImageInput`, ...). Nodes are called as
    their modules (`conv1`, `block.norm`). A `metadata` mapping of the module (name, input, classes,
    preprocessing...) goes into the program; where it names classes and the one output holds as
    many scores, an `argmax` called `class` is added as the first output.

    Raises UnsupportedError naming the module for anything but these layers, CodesignError where
    a layer does not fit what it reads.
    """
    facts = dict(getattr(module, "metadata", {}))
    title = name or str(facts.pop("name", type(module).__name__.lower()))
    facts.pop("name", None)
    root = nn.Sequential(module) if isinstance(module, Layer) else module
    return _Lowering(root, title, facts).graph()


def export(module: nn.Module, path: str | Path, *, name: str | None = None) -> Graph:
    """Lower `module`, write the program to the ONNX file `path`, and give the program.

    Raises as `lower`, and CodesignError where the file cannot be written.
    """
    from codesign.convert.onnx_write import save

    graph = lower(module, name=name)
    save(graph, path)
    return graph


class _Tracer(torch.fx.Tracer):
    """Stops at this package's layers; walks everything else that is not torch's own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Layer) or super().is_leaf_module(m, module_qualified_name)


class _Lowering:
    """One walk over the traced calls of a network."""

    def __init__(self, root: nn.Module, title: str, facts: dict[str, Any]) -> None:
        self.root, self.title, self.facts = root, title, facts
        self.builder = GraphBuilder(title, facts)
        self.values: dict[torch.fx.Node, str] = {}
        self.calls: dict[str, int] = {}

    def graph(self) -> Graph:
        trace = self._trace()
        inputs = [node for node in trace.nodes if node.op == "placeholder" and node.users]
        for node in trace.nodes:
            if node.op == "placeholder":
                if node.users:
                    self.values[node] = self._input(node, only=len(inputs) == 1)
            elif node.op == "call_module":
                self.values[node] = self._layer(node)
            elif node.op == "output":
                self._outputs(node)
            else:
                raise UnsupportedError(self._refusal(node))
        graph = self.builder.build()
        check(graph)
        return graph

    def _trace(self) -> torch.fx.Graph:
        modes = {module: module.training for module in self.root.modules()}
        self.root.eval()
        try:
            return _Tracer().trace(self.root)
        except torch.fx.proxy.TraceError as error:
            reason = str(error).split("\n")[0].lower()
            raise UnsupportedError(
                f"{self.title}: its forward depends on values ({reason}); "
                "write it as a fixed sequence of codesign.nn layers"
            ) from None
        finally:
            for module, training in modes.items():
                module.training = training

    def _input(self, node: torch.fx.Node, *, only: bool) -> str:
        readers = [self._module(user) for user in node.users if user.op == "call_module"]
        kinds = {(r.shape, r.codes) for r in readers if isinstance(r, Input)}
        if (
            len(readers) != len(node.users)
            or len(kinds) != 1
            or not all(isinstance(reader, Input) for reader in readers)
        ):
            raise UnsupportedError(
                f"{self.title}: input {node.target} does not go through one ImageInput; "
                "begin with codesign.nn.ImageInput(channels, height, width)"
            )
        label = self.facts.get("input") if only else None
        shape, codes = kinds.pop()
        return self.builder.input(str(label or node.target), shape, IntType(*codes))

    def _layer(self, node: torch.fx.Node) -> str:
        path, layer = str(node.target), self._module(node)
        if not isinstance(layer, Layer):
            raise UnsupportedError(self._refusal(node))
        sources = [self.values[source] for source in _tensors(node.args)]
        if len(sources) not in layer.arity or node.kwargs:
            wanted = " or ".join(_COUNTS[count] for count in layer.arity)
            raise UnsupportedError(
                f"{path}: {type(layer).__name__} is called with {len(sources)} tensors; "
                f"call it with {wanted}, by position"
            )
        if any(part.relaxed for part in layer.modules() if isinstance(part, Layer)):
            raise UnsupportedError(
                f"{path}: {type(layer).__name__} computes with floats, as in the first stages of "
                "training; train to the last stage first"
            )
        self.calls[path] = self.calls.get(path, 0) + 1
        if self.calls[path] > 1:
            if any(True for _ in layer.parameters()):
                raise UnsupportedError(
                    f"{path}: {type(layer).__name__} is called twice; "
                    "give each call a layer of its own"
                )
            path = f"{path}.call{self.calls[path]}"
        try:
            return layer.lower(self.builder, path, *sources)
        except CodesignError as error:
            if str(error).startswith(path):
                raise
            raise type(error)(f"{path}: {error}") from None

    def _outputs(self, node: torch.fx.Node) -> None:
        names = [self.values[source] for source in _tensors(node.args)]
        classes = self.facts.get("classes")
        if classes and len(names) == 1:
            shape = self.builder.value(names[0]).shape
            if shape != (len(classes),):
                raise CodesignError(
                    f"{self.title}: names {len(classes)} classes, its output has shape {shape}; "
                    "name one class a score"
                )
            self.builder.output(self.builder.node(DECISION, "argmax", names))
        for name in dict.fromkeys(names):
            self.builder.output(name)

    def _module(self, node: torch.fx.Node) -> nn.Module:
        return self.root.get_submodule(str(node.target))

    def _refusal(self, node: torch.fx.Node) -> str:
        """Why this call is no part of a program, and what to write instead."""
        if node.op == "call_module":
            module = self._module(node)
            kind = type(module).__name__
            instead = _INSTEAD.get(type(module))
            remedy = f"use codesign.nn.{instead}" if instead else "use the layers of codesign.nn"
            return f"{node.target}: torch module {kind} has no integer program; {remedy}"
        what = {
            "call_function": f"function {getattr(node.target, '__name__', node.target)}",
            "call_method": f"tensor method {node.target}",
            "get_attr": f"tensor {node.target}",
        }[node.op]
        place = self._place(node)
        return f"{place}: {what} in forward has no integer program; use the layers of codesign.nn"

    def _place(self, node: torch.fx.Node) -> str:
        """Path of the module whose forward makes the call; the network's name for the root."""
        stack = node.meta.get("nn_module_stack") or {}
        paths = [entry[0] if isinstance(entry, tuple) else entry for entry in stack.values()]
        return str(paths[-1]) if paths and paths[-1] else self.title


def _tensors(arguments: Any) -> Iterator[torch.fx.Node]:
    """All traced values in nested arguments, in order."""
    if isinstance(arguments, torch.fx.Node):
        yield arguments
    elif isinstance(arguments, dict):
        for value in arguments.values():
            yield from _tensors(value)
    elif isinstance(arguments, (tuple, list)):
        for value in arguments:
            yield from _tensors(value)
