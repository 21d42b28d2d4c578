"""What a network occupies against what is built and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from codesign.hw.config import ACCUMULATOR_SETS, Hardware
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.hw.memory import MemoryMap
from codesign.hw.plan import BudgetLine, EnergyRow, Events, LayerPlan, MemoryUse
from codesign.hw.quantity import Quantity, written
from codesign.hw.work import Work


@dataclass(frozen=True, slots=True)
class Share:
    """What one layer takes of the memories that add up over the layers, and its geometry.

    `parameter_words` and `descriptors` count words of the parameter and program memories; `work`
    is None for a layer that neither multiplies nor rescales.
    """

    work: Work | None = None
    weight_words: int = 0
    parameter_words: int = 0
    descriptors: int = 0


def memories(
    hardware: Hardware,
    layers: Sequence[LayerPlan],
    shares: Sequence[Share],
    memory_map: MemoryMap,
) -> tuple[MemoryUse, ...]:
    """Every built memory with what is occupied and, where it is too small, one line that says so.

    `shares` has one entry a layer.
    """
    names = [layer.name for layer in layers]
    found = []
    for name, depth, width, words in (
        (
            "weights",
            hardware.weight_words,
            int(hardware.weight_word),
            [share.weight_words for share in shares],
        ),
        (
            "parameters",
            hardware.parameter_words,
            hardware.parameter_word,
            [share.parameter_words for share in shares],
        ),
        (
            "program",
            hardware.program_words,
            DESCRIPTOR_BITS,
            [share.descriptors for share in shares],
        ),
    ):
        bits = [(layer, count * width) for layer, count in zip(names, words, strict=True)]
        found.append(_adding(name, bits, depth * width, hardware))
    banks = hardware.memories.activations.banks
    for bank, (used, peak) in enumerate(
        zip(memory_map.bank_words, memory_map.bank_peaks, strict=True)
    ):
        name = f"activations {bank}" if bank < banks else "skip"
        depth = hardware.bank_words if bank < banks else hardware.skip_words
        width, at = hardware.activation_word, names[peak] if used else ""
        found.append(_use(name, used * width, depth * width, at, hardware, f"it peaks at {at}"))
    found.append(_accumulators(hardware, layers, shares))
    return tuple(found)


def _adding(
    name: str, shares: Sequence[tuple[str, int]], built: int, hardware: Hardware
) -> MemoryUse:
    used = sum(bits for _, bits in shares)
    largest, most = max(shares, key=lambda share: share[1], default=("", 0))
    reason = f"the largest layer is {largest} with {most:,} b"
    return _use(name, used, built, largest if most else "", hardware, reason)


def _use(
    name: str, used: int, built: int, peak_at: str, hardware: Hardware, reason: str
) -> MemoryUse:
    if used <= built:
        return MemoryUse(name, used, built, peak_at)
    verb = "need" if name in ("weights", "parameters") else "needs"
    message = (
        f"{name} {verb} {used:,} b, {hardware.name} builds {built:,} b "
        f"({used - built:,} b over); {reason}"
    )
    return MemoryUse(name, used, built, peak_at, message)


def _accumulators(
    hardware: Hardware, layers: Sequence[LayerPlan], shares: Sequence[Share]
) -> MemoryUse:
    """Registers in use at their proved width; never more than built, or it is a host layer."""
    most, at = 0, ""
    for layer, share in zip(layers, shares, strict=True):
        work = share.work
        if work is None or not work.weight_bits:
            continue
        rows, columns = work.block(hardware)
        pixels = min(rows, work.size[0]) * min(columns, work.size[1])
        outputs = min(hardware.lanes.output, work.outputs // work.groups)
        tiles = work.groups * -(-work.outputs // work.groups // hardware.lanes.output)
        turns = tiles * -(-work.size[0] // rows) * -(-work.size[1] // columns)
        assert layer.accumulator_width is not None  # a product layer
        bits = min(turns, ACCUMULATOR_SETS) * pixels * outputs * layer.accumulator_width
        if bits > most:
            most, at = bits, layer.name
    return MemoryUse("accumulators", most, hardware.accumulator_bits, at)


def lines(
    hardware: Hardware,
    layers: Sequence[LayerPlan],
    uses: Sequence[MemoryUse],
    energy: tuple[EnergyRow, ...] | None,
) -> tuple[BudgetLine, ...]:
    """The configuration's budget, line by line."""
    by_name = {use.name: use for use in uses}
    maps = [use for use in uses if use.name.startswith("activations") or use.name == "skip"]
    fullest = max(maps, key=lambda use: use.used_bits)
    budget, checked = hardware.budget, []
    weights = [
        (layer.name, Fraction(layer.weight_words * int(hardware.weight_word))) for layer in layers
    ]
    stored = [(layer.name, Fraction(sum(layer.stored_weight_bits.values()))) for layer in layers]
    for name, limit in (
        ("weights", budget.weights),
        ("stored_weights", budget.stored_weights),
        ("parameters", budget.parameters),
        ("activations", budget.activations),
        ("on_chip", budget.on_chip),
    ):
        if limit is None:
            continue
        if name == "activations":
            used, at = sum(use.used_bits for use in maps), fullest.peak_at
        elif name == "on_chip":
            used = sum(use.used_bits for use in uses)
            at = _breaking(weights, limit.amount - used + by_name["weights"].used_bits)
        elif name == "weights":
            used = by_name[name].used_bits
            at = _breaking(weights, limit.amount)
        elif name == "stored_weights":
            used = sum(sum(layer.stored_weight_bits.values()) for layer in layers)
            at = _breaking(stored, limit.amount)
        else:
            used, at = by_name[name].used_bits, by_name[name].peak_at
        checked.append(_line(name, Fraction(used), limit, at))
    if budget.latency is not None:
        times = [(layer.name, layer.cycles.total / hardware.clock.amount) for layer in layers]
        total = sum((time for _, time in times), Fraction(0))
        at = _breaking(times, budget.latency.amount)
        checked.append(_line("latency", total, budget.latency, at))
    if budget.energy is not None and energy is not None:
        prices = {row.event: row.each for row in energy}
        joules = [(layer.name, _joules(layer.events, prices)) for layer in layers]
        total = sum((joule for _, joule in joules), Fraction(0))
        at = _breaking(joules, budget.energy.amount)
        checked.append(_line("energy", total, budget.energy, at))
    return tuple(checked)


def _joules(events: Events, prices: Mapping[str, Fraction]) -> Fraction:
    return sum((count * prices.get(event, Fraction(0)) for event, count in events), Fraction(0))


def _breaking(shares: Sequence[tuple[str, Fraction]], limit: Fraction) -> str:
    """The layer at which the running sum passes the limit; the first where nothing is left."""
    total = Fraction(0)
    for layer, share in shares:
        total += share
        if share and total > limit:
            return layer
    return ""


def _line(name: str, used: Fraction, limit: Quantity, at: str) -> BudgetLine:
    if used <= limit.amount:
        return BudgetLine(name, used, limit.amount, limit.unit, True)
    message = (
        f"{name}: {written(used, limit.unit)} needed, the budget allows "
        f"{written(limit.amount, limit.unit)} ({written(used - limit.amount, limit.unit)} over); "
        f"it breaks at {at}"
    )
    return BudgetLine(name, used, limit.amount, limit.unit, False, message)


def energy_rows(hardware: Hardware, events: Events) -> tuple[EnergyRow, ...] | None:
    """One row an event that the configuration prices; None without an energy table."""
    if hardware.energy is None:
        return None
    rows = []
    for event, count in events:
        price = getattr(hardware.energy, event)
        if price is not None:
            rows.append(EnergyRow(event, count, price.energy.amount, price.source))
    return tuple(rows)
