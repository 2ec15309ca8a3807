"""Layers as bar charts show them: one entry per set of weights, cycles of all its calls together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.quantities import total


@dataclass(frozen=True, kw_only=True)
class DrawnLayer:
    """One layer's weights: counted once, however often the layer runs; cycles are those of all its calls together."""

    name: str
    sparsity_percent: float | None
    weight_bits: int | None
    cycles: float | None
    skipped_cycles: float | None
    utilization: float | None
    lane_utilization: float | None


def drawn_layers(layers: Sequence[LayerRow]) -> list[DrawnLayer]:
    """The layers that hold weights, once each, in the order of their first call."""
    calls: dict[str, list[LayerRow]] = {}
    for layer in layers:
        if layer.weight_count:
            calls.setdefault(layer.name, []).append(layer)
    return [_drawn(each) for each in calls.values()]


def _drawn(calls: Sequence[LayerRow]) -> DrawnLayer:
    first = calls[0]
    return DrawnLayer(
        name=first.name,
        sparsity_percent=first.sparsity_percent,
        weight_bits=first.weight_bits,
        cycles=total(call.cycles for call in calls),
        skipped_cycles=total(call.skipped_cycles for call in calls),
        utilization=first.utilization,
        lane_utilization=first.lane_utilization,
    )
