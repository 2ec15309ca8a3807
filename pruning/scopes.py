"""Scopes by name: which weights compete with each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from disparsity.pruning.densities import select_erk, select_mac_weighted
from disparsity.pruning.selection import FloorSettings, Masks, Scores, select_global, select_per_layer

Scope = Callable[[Scores, float, FloorSettings, Mapping[str, float]], Masks]
"""Masks from scores, the density to leave, what every layer keeps, and the MACs that a weight of each layer costs."""


def _global(scores: Scores, density: float, floor: FloorSettings, macs: Mapping[str, float]) -> Masks:
    """All weights compete with each other."""
    del macs
    return select_global(scores, density, floor)


def _per_layer(scores: Scores, density: float, floor: FloorSettings, macs: Mapping[str, float]) -> Masks:
    """Every layer keeps the same fraction of its weights."""
    del macs
    return select_per_layer(scores, density, floor)


SCOPES: dict[str, Scope] = {
    "global": _global,
    "per_layer": _per_layer,
    "erk": select_erk,
    "mac_weighted": select_mac_weighted,
}
