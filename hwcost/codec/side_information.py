"""Side information of a layer, coded before its weights: its density, and how uneven it is along each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disparsity.hwcost.codec.context_model import LogisticModel

_SPREADS = (0.0, 0.03, 0.07, 0.15, 0.3, 0.6, 1.2, 2.4)
_SPREAD_BITS = 3
_ODDS_STEP = 0.125
_ODDS_BITS = 7
_ODDS_ZERO = 1 << (_ODDS_BITS - 1)


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """Log-odds that a kernel holds something and that an element of it does, and the spread of both.

    The spreads are prior variances of log-odds, over filters, channels and positions inside a kernel.
    """

    kernel_odds: float
    element_chance_odds: float = 0.0
    kernel_filter: float = 0.0
    kernel_channel: float = 0.0
    element_filter: float = 0.0
    element_channel: float = 0.0
    element_position: float = 0.0

    def element_odds(self, area: int) -> tuple[list[float], float]:
        """Log-odds per position while the kernel is still empty (it must not stay so), and after that."""
        chance = _chance(self.element_chance_odds)
        first = []
        for position in range(area - 1):
            none_later = (1 - chance) ** (area - position)
            first.append(_odds(chance / (1 - none_later)))
        return [*first, 0.0], self.element_chance_odds


def plan_of(
    values: npt.NDArray[np.int64], live_filters: list[int], live_channels: list[int], channels: int, area: int
) -> LayerPlan:
    """Measure a layer; of a decoder's zeros the outcome means nothing and is replaced by what is read."""
    nonzero = (values != 0).reshape(-1, channels, area)
    nonzero = nonzero[live_filters][:, live_channels]
    inside = nonzero.sum(2)
    holds = np.asarray(inside > 0)
    density = float(holds.mean())
    chance = _chance_inside(float(inside.sum()) / max(1, int(holds.sum())), area)
    return LayerPlan(
        kernel_odds=_odds(density),
        element_chance_odds=_odds(chance),
        kernel_filter=_spread(holds.sum(1), np.full(holds.shape[0], holds.shape[1]), density),
        kernel_channel=_spread(holds.sum(0), np.full(holds.shape[1], holds.shape[0]), density),
        element_filter=_spread(inside.sum(1) - holds.sum(1), holds.sum(1) * (area - 1) / 2, chance),
        element_channel=_spread(inside.sum(0) - holds.sum(0), holds.sum(0) * (area - 1) / 2, chance),
        element_position=_spread(
            nonzero.sum((0, 1)), np.full(area, holds.sum()), float(nonzero[holds].mean() if holds.any() else 0.0)
        ),
    )


def code_plan(model: LogisticModel, plan: LayerPlan, area: int) -> LayerPlan:
    """Code the plan in its rounded form, and return that form; a kernel of one element has no inside."""
    kernel = {name: _code_spread(model, name, getattr(plan, name)) for name in ("kernel_filter", "kernel_channel")}
    kernel_odds = _code_odds(model, "kernel", plan.kernel_odds)
    if area == 1:
        return LayerPlan(kernel_odds=kernel_odds, **kernel)
    names = ("element_filter", "element_channel", "element_position")
    element = {name: _code_spread(model, name, getattr(plan, name)) for name in names}
    odds = _code_odds(model, "element", plan.element_chance_odds)
    return LayerPlan(kernel_odds=kernel_odds, element_chance_odds=odds, **kernel, **element)


def _code_odds(model: LogisticModel, name: str, odds: float) -> float:
    level = min(max(round(odds / _ODDS_STEP), -_ODDS_ZERO), _ODDS_ZERO - 1)
    return (model.code_symbol((name, "odds"), level + _ODDS_ZERO, _ODDS_BITS) - _ODDS_ZERO) * _ODDS_STEP


def _code_spread(model: LogisticModel, name: str, spread: float) -> float:
    level = min(range(len(_SPREADS)), key=lambda index: abs(_SPREADS[index] - spread))
    return _SPREADS[model.code_symbol((name, "spread"), level, _SPREAD_BITS)]


def _spread(ones: npt.NDArray[np.int64], trials: npt.NDArray[np.float64], chance: float) -> float:
    """Variance of the log-odds over the units beyond what chance alone would show (method of moments)."""
    slope = trials * chance * (1 - chance)
    expected = trials * (ones.sum() / max(float(trials.sum()), 1.0))
    excess = float(((ones - expected) ** 2 - slope).sum())
    noise = math.sqrt(float((2 * slope**2 + slope).sum()))
    return excess / float((slope**2).sum()) if excess > noise else 0.0


def _chance_inside(mean: float, area: int) -> float:
    """The chance per element whose mean count, given that the count is not 0, is `mean` (by bisection)."""
    low, high = 1e-6, 1 - 1e-6
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if area * middle / (1 - (1 - middle) ** area) < mean else (low, middle)
    return low


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _odds(chance: float) -> float:
    """Log-odds, rounded so that no machine's last digit matters."""
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return round(math.log(chance / (1 - chance)), 6)
