"""Allocation `search`: cross-entropy search with a distribution per layer and per channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disparsity.quant.allocations.budget_constraint import BudgetConstraint
from disparsity.quant.allocations.problem import Plan, Problem

Vector = npt.NDArray[np.float64]

_POPULATION = 10
_ELITE_SHARE = 0.3
_FIRST_SPREAD = 0.3
_LEAST_SPREAD = 0.03
_FIRST_SPARSITY = -2.0
"""First bias of the layer controller, as a logit: it removes an eighth of what it may remove."""


@dataclass(frozen=True)
class Controllers:
    """Both policies, linear in the features of a layer.

    Attributes:
        sparsity: weights of the layer controller, over the layer's features and 1.
        bits: weights of the channel controller, over the same and the sparsity that the layer controller has chosen.

    """

    sparsity: Vector
    bits: Vector

    @staticmethod
    def of(parameters: Vector) -> Controllers:
        """The controllers of one vector of parameters."""
        size = (len(parameters) - 1) // 2
        return Controllers(parameters[:size], parameters[size:])

    def episode(self, problem: Problem, features: Vector) -> Plan:
        """One plan: layer by layer in the network's order, each proposal reduced to fit the budget."""
        constraint = BudgetConstraint(problem)
        for layer, seen in enumerate(features):
            share = 1.0 / (1.0 + math.exp(-float(self.sparsity @ seen)))
            removed = round(share * (len(problem.left[layer]) - 1))
            place = constraint.goal() + math.tanh(float(self.bits @ np.append(seen, share)))
            last = len(problem.widths[layer]) - 1
            constraint.take(layer, min(last, max(0, round(place * last))), removed)
        return constraint.plan(problem.importance)


def controller_search(problem: Problem) -> Plan:
    """The best plan found while the controllers learned.

    Source: AJPQ (arXiv 2011.06231) for the shape: pruning is quantization to 0 bits; a layer controller chooses how
    many channels of a layer are removed, a channel controller the bits of the others; one importance criterion decides
    which channels are removed and which layers get the rest of the budget; AMC's budget constraint. Interpretation of
    what the public abstract leaves open: the channel controller gives one width to all remaining channels, relative to
    the width that the remaining budget allows; policies are linear in the layer's features and the reward is the
    distortion of the output maps at the episode's end; since there is no reward before, their parameters are learned by
    the cross-entropy method (Rubinstein and Kroese, 2004) over whole episodes, where AMC and HAQ use DDPG. The first
    episode is the mean policy: about the same bits everywhere.

    Raises:
        InputError: nothing meets the budget.

    """
    generator = np.random.default_rng(problem.seed)
    features = _standardised(problem.features)
    size = features.shape[1]
    mean, spread = np.zeros(2 * size + 1), np.full(2 * size + 1, _FIRST_SPREAD)
    mean[size - 1] = _FIRST_SPARSITY
    measured: list[tuple[float, Plan]] = []
    while len(measured) < problem.evaluations:
        count = min(_POPULATION, problem.evaluations - len(measured))
        tried = mean + spread * generator.standard_normal((count, len(mean)))
        if not measured:
            tried[0] = mean
        plans = [Controllers.of(parameters).episode(problem, features) for parameters in tried]
        scores = [problem.measure(plan) for plan in plans]
        measured += zip(scores, plans, strict=True)
        elite = tried[np.argsort(scores, kind="stable")[: max(2, round(_ELITE_SHARE * count))]]
        mean, spread = elite.mean(axis=0), np.maximum(elite.std(axis=0), _LEAST_SPREAD)
    return min(measured, key=lambda entry: entry[0])[1]


def _standardised(features: Sequence[Sequence[float]]) -> Vector:
    """Features of zero mean and unit spread over the layers (constant ones are zero), and a 1."""
    values = np.asarray(features, dtype=np.float64)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.concatenate([scaled, np.ones((len(values), 1))], axis=1)
