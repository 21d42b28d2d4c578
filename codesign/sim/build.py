"""From a plan and the decoded results to the report."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from codesign.errors import CodesignError
from codesign.report import Ratio, Report
from codesign.report import model as form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codesign.hw.plan import Cycles, LayerPlan, Plan
    from codesign.ir import Graph
    from codesign.ir import Operations as Counts

TOTAL = "total"


def build(graph: Graph, plan: Plan, results: form.Results | None) -> Report:
    """The report on `graph` as mapped by `plan`, with `results` where inputs were simulated."""
    hardware = plan.hardware
    return Report(
        model=_model(graph, plan),
        hardware=form.Hardware(
            name=hardware.name,
            clock=Ratio.of(hardware.clock.amount),
            input_lanes=hardware.lanes.input,
            output_lanes=hardware.lanes.output,
        ),
        memory=_memory(plan),
        operations=_operations(plan),
        cycles=_cycles(plan),
        budget=[
            form.BudgetLine(
                name=line.name,
                used=Ratio.of(line.used),
                limit=Ratio.of(line.limit),
                unit=line.unit,
                ok=line.ok,
                message=line.message,
            )
            for line in plan.budget
        ],
        results=results,
        not_modelled=[*before(graph), *plan.not_modelled],
    )


def before(graph: Graph) -> Iterator[str]:
    """One line for each part on the host that makes an input, by the program's metadata `host`.

    Entries have a name, the multiply-accumulates, and the input that they make. Raises
    CodesignError for any other: a part that is named must not be passed over.
    """
    entries = graph.metadata.get("host", [])
    for entry in entries if isinstance(entries, list) else [entries]:
        kinds = {"name": str, "macs": int, "output": str}
        if (
            not isinstance(entry, dict)
            or set(entry) != set(kinds)
            or any(type(entry[key]) is not kind for key, kind in kinds.items())
            or entry["macs"] < 0
            or entry["output"] not in graph.inputs
        ):
            raise CodesignError(
                f"{graph.name}: metadata host has the entry {entry!r}; give name, macs (0 or more) "
                f"and output, one of {', '.join(graph.inputs)}"
            )
        yield (
            f"{entry['name']} (before the program) runs on the host: it makes {entry['output']} in "
            f"{entry['macs']:,} multiply-accumulates of floating point; neither they nor their "
            "time are counted"
        )


def _model(graph: Graph, plan: Plan) -> form.Model:
    return form.Model(
        name=graph.name,
        hash=graph.hash,
        inputs=[_tensor(graph, name) for name in graph.inputs],
        outputs=[_tensor(graph, name) for name in graph.outputs],
        classes=[str(name) for name in graph.metadata.get("classes") or ()],
        layers=[
            form.Layer(
                name=layer.name,
                kind=layer.kind,
                unit=layer.unit,
                reason=layer.reason,
                nodes=list(layer.nodes),
                output_shape=list(layer.output_shape),
                accumulator_width=layer.accumulator_width,
            )
            for layer in plan.layers
        ],
    )


def _tensor(graph: Graph, name: str) -> form.Tensor:
    value = graph.values[name]
    code = value.type
    return form.Tensor(name=name, shape=list(value.shape), lo=code.lo, hi=code.hi, step=code.step)


def _memory(plan: Plan) -> form.Memory:
    stored: dict[int, int] = {}
    for layer in plan.layers:
        for bits, count in layer.stored_weight_bits.items():
            stored[bits] = stored.get(bits, 0) + count
    return form.Memory(
        layers=[_kept(layer) for layer in plan.layers],
        total=form.LayerMemory(
            layer=TOTAL,
            stored_weight_bits=dict(sorted(stored.items())),
            generated_bits=sum(layer.generated_bits for layer in plan.layers),
            parameter_bits=sum(layer.parameter_bits for layer in plan.layers),
        ),
        peak_activation_bits=plan.peak_activation_bits,
        peak_at=plan.peak_at,
        memories=[
            form.MemoryUse(
                name=use.name,
                used_bits=use.used_bits,
                built_bits=use.built_bits,
                fits=use.fits,
                peak_at=use.peak_at,
                message=use.message,
            )
            for use in plan.memories
        ],
        placements=[
            form.Placement(
                value=place.value,
                memory=place.memory,
                bank=place.bank,
                first_word=place.first_word,
                words=place.words,
                from_layer=place.from_layer,
                to_layer=place.to_layer,
            )
            for place in plan.placements
        ],
    )


def _kept(layer: LayerPlan) -> form.LayerMemory:
    stored: Mapping[int, int] = layer.stored_weight_bits
    return form.LayerMemory(
        layer=layer.name,
        stored_weight_bits=dict(sorted(stored.items())),
        generated_bits=layer.generated_bits,
        parameter_bits=layer.parameter_bits,
    )


def _operations(plan: Plan) -> form.Operations:
    energy = None
    if plan.energy is not None:
        energy = [
            form.EnergyRow(
                event=row.event,
                count=row.count,
                each=Ratio.of(row.each),
                total=Ratio.of(row.total),
                source=row.source,
            )
            for row in plan.energy
        ]
    return form.Operations(
        layers=[_counts(layer.name, layer.operations) for layer in plan.layers],
        total=_counts(TOTAL, plan.operations),
        energy=energy,
    )


def _counts(name: str, operations: Counts) -> form.LayerOperations:
    counts = [
        form.OperationCount(kind=key.kind, bits=key.bits, by=key.by, count=count)
        for key, count in operations
    ]
    return form.LayerOperations(layer=name, counts=counts)


def _cycles(plan: Plan) -> form.Cycles:
    lanes = plan.hardware.lanes.input * plan.hardware.lanes.output
    macs, total = sum(layer.macs for layer in plan.layers), plan.cycles
    # what the host multiplies uses no lane
    here = sum(layer.macs for layer in plan.layers if layer.unit != "host")
    use = Ratio.of(Fraction(here, lanes * total.total)) if here and total.total else None
    return form.Cycles(
        layers=[
            _spent(
                layer.name,
                layer.cycles,
                layer.macs,
                None if layer.utilization is None else Ratio.of(layer.utilization),
            )
            for layer in plan.layers
        ],
        total=_spent(TOTAL, total, macs, use),
        seconds=Ratio.of(plan.seconds),
        frames_per_second=Ratio.of(plan.frames_per_second),
    )


def _spent(name: str, cycles: Cycles, macs: int, use: Ratio | None) -> form.LayerCycles:
    return form.LayerCycles(
        layer=name, causes=dict(cycles), total=cycles.total, macs=macs, utilization=use
    )
