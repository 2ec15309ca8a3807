"""Layers as the report's figures need them: one entry per set of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer's weights: counted once, however often the layer runs; cycles are those of all its calls together."""

    name: str
    sparsity_percent: float | None
    weight_bits: float | None
    cycles: float | None = None
    skipped_cycles: float | None = None
    utilization: float | None = None
    lane_utilization: float | None = None


def unique_layers(layers: Sequence[Mapping[str, Any]]) -> list[LayerRow]:
    """The layers that hold weights, once each, in the order of their first call."""
    calls: dict[str, list[Mapping[str, Any]]] = {}
    for layer in layers:
        if layer.get("weight_count") != 0 and _holds_weights(layer):
            calls.setdefault(str(layer.get("name")), []).append(layer)
    return [_row(name, each) for name, each in calls.items()]


def _row(name: str, calls: Sequence[Mapping[str, Any]]) -> LayerRow:
    first = calls[0]
    return LayerRow(
        name=name,
        sparsity_percent=_sparsity(first),
        weight_bits=first.get("weight_bits"),
        cycles=_sum([call.get("cycles") for call in calls]),
        skipped_cycles=_sum([call.get("skipped_cycles") for call in calls]),
        utilization=first.get("utilization"),
        lane_utilization=first.get("lane_utilization"),
    )


def _sum(figures: Sequence[float | None]) -> float | None:
    """None where one of the calls is unknown."""
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def _holds_weights(layer: Mapping[str, Any]) -> bool:
    return any(layer.get(name) is not None for name in ("weight_count", "weight_bits", "sparsity_percent"))


def _sparsity(layer: Mapping[str, Any]) -> float | None:
    if layer.get("sparsity_percent") is not None:
        return float(layer["sparsity_percent"])
    weights, nonzero = layer.get("weight_count"), layer.get("nnz")
    return None if not weights or nonzero is None else 100.0 * (1.0 - nonzero / weights)
