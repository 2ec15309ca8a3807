"""Bit allocation in a run: costs, measured distortions and scores as one problem, and its solution applied."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from disparsity.base.layers import channel_axis, effective_weight, quantizable_layers
from disparsity.datasets.batches.stream import Batch
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import attach_masks, mask_modules, zero_pruned
from disparsity.quant.allocations.measurement import Attach, Measurement
from disparsity.quant.allocations.problem import Plan, Problem, cost_of, options_to_measure
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.allocations.settings import BudgetSettings, RemovingSettings
from disparsity.quant.bits import LayerBits
from disparsity.recipe.sections import QuantizeSection
from disparsity.run.stages.bit_costs import cost_at, layer_works
from disparsity.stereo.network import StereoNetwork

Scores = Callable[[Mapping[str, nn.Module]], dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """What an allocation has decided.

    Attributes:
        bits: of every layer, those of the settings included.
        removed: by layer, the output channels of 0 bits; only layers that lose some.
        metadata: budget, cost, distortion and the layers, as plain data.

    """

    bits: dict[str, LayerBits]
    removed: dict[str, Tensor]
    metadata: dict[str, Any]


class Allocator:
    """Chooses the weight bits of the layers that no setting fixes.

    Args:
        network: in float, BatchNorm folded, masks attached or not; left as it is.
        settings: method, budget, candidates.
        bits: what uniform bits would be; activations and the bits of fixed layers are taken from here.
        batch: calibration pairs; their labels are not looked at.
        attach: puts quantizers on a network.
        scores: of the weights of layers; used by allocations that may remove channels.
        profile: of the energy.
        seed: of a search.

    Attributes:
        ranked: by layer, its output channels, the least important first.

    """

    def __init__(
        self,
        network: StereoNetwork,
        settings: QuantizeSection,
        bits: Mapping[str, LayerBits],
        batch: Batch,
        attach: Attach,
        scores: Scores,
        profile: Profile,
        seed: int,
    ) -> None:
        self._network, self._settings, self._bits, self._batch = network, settings, bits, batch
        self._attach, self._profile, self._seed = attach, profile, seed
        assert isinstance(settings.allocation, BudgetSettings), "uniform bits need no allocation"
        self._allocation = settings.allocation
        removing = settings.allocation if isinstance(settings.allocation, RemovingSettings) else None
        self._evaluations = removing.evaluations if removing else 0
        self._layers = {name: layer for name, layer in quantizable_layers(network).items() if name in bits}
        fixed = _fixed(network, settings, bits)
        self._widths = {n: (bits[n].weights,) if n in fixed else self._allocation.candidates for n in self._layers}
        self._scores = scores(self._layers) if removing else _alike(self._layers)
        self.ranked = {name: _by_importance(layer, self._scores[name]) for name, layer in self._layers.items()}
        share = removing.removed_fraction if removing else 0.0
        self._most = {name: 0 if name in fixed else int(share * len(rank)) for name, rank in self.ranked.items()}
        self._works = layer_works(trace_workload(network, (batch.left[:1], batch.right[:1])).calls, self._layers)
        self._costs = {name: [self._cost(name, width) for width in row] for name, row in self._widths.items()}

    def allocate(self) -> Allocated:
        """Measure, choose, and say what was chosen.

        Raises:
            InputError: the budget is below the cost of the fewest bits, or lies outside of the candidates.

        """
        problem = self.problem()
        plan = ALLOCATIONS[self._allocation.name](problem)
        return self._allocated(plan, problem)

    def problem(self) -> Problem:
        """The allocation problem of the network."""
        network, batch = self._network, self._batch
        measurement = Measurement(
            network,
            self._layers,
            self._widths,
            self._attach,
            lambda: network(batch.left, batch.right)[-1],
            self.ranked,
        )
        widths = tuple(tuple(row) for row in self._widths.values())
        return Problem(
            widths=widths,
            costs=list(self._costs.values()),
            budget=self._budget(),
            left=[_left(self._layers[name], rank, self._most[name]) for name, rank in self.ranked.items()],
            importance=tuple(float(self._scores[name].sum()) for name in self._layers),
            features=_features(self._layers, self._costs, self._scores),
            table=measurement.table,
            measure=measurement.measure,
            evaluations=self._evaluations or options_to_measure(widths),
            seed=self._seed,
        )

    def _cost(self, name: str, width: int) -> float:
        bits = LayerBits(weights=width, activations=self._bits[name].activations)
        return self._works[name].cost(bits, self._allocation.budget, self._profile)

    def _budget(self) -> float:
        settings = self._allocation
        if settings.budget_fraction:
            dense = [work.dense_cost(settings.budget, self._profile) for work in self._works.values()]
            return settings.budget_fraction * math.fsum(dense)
        bits = settings.budget_bits or float(self._settings.weight_bits)
        return math.fsum(cost_at(self._costs[name], row, bits) for name, row in self._widths.items())

    def _allocated(self, plan: Plan, problem: Problem) -> Allocated:
        widths = [row[option] for row, option in zip(problem.widths, plan.options, strict=True)]
        prices = cost_of(plan, problem.costs, problem.left)
        rows = zip(self._layers, widths, plan.removed, prices, strict=True)
        metadata = {
            "allocation": self._allocation.name,
            "budget": self._allocation.budget,
            "limit": problem.budget,
            "cost": math.fsum(prices),
            "mean_squared_change_px2": problem.measure(plan),
            "evaluations": problem.evaluations,
            "layers": {n: {"weight_bits": w, "removed_channels": gone, "cost": c} for n, w, gone, c in rows},
        }
        chosen = dict(zip(self._layers, widths, strict=True))
        removed = zip(self.ranked.items(), plan.removed, strict=True)
        return Allocated(
            bits={n: LayerBits(weights=chosen[n], activations=each.activations) for n, each in self._bits.items()},
            removed={name: rank[:gone] for (name, rank), gone in removed if gone},
            metadata=metadata,
        )


def mask_channels(network: nn.Module, removed: Mapping[str, Tensor]) -> None:
    """Mask the named output channels, whose biases stay; their trained weights become zero.

    Interpretation: a channel of 0 bits is a row of zeros, not a smaller layer; what its weights cost is gone.
    """
    attach_masks(network, [name for name in removed if name not in mask_modules(network)])
    for name, channels in removed.items():
        axis = channel_axis(network.get_submodule(name))
        mask_modules(network)[name].mask.index_fill_(axis, channels, value=False)
    zero_pruned(network)


def _fixed(network: StereoNetwork, settings: QuantizeSection, names: Mapping[str, object]) -> set[str]:
    """The layers whose bits the settings say: the first, the protected and those that a pattern names."""
    patterns = [pattern for pattern, _, _ in settings.patterns()]
    named = {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}
    return named | {name for name in names if name in (*network.spec.first, *network.spec.protected)}


def _alike(layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {name: torch.ones_like(effective_weight(layer)) for name, layer in layers.items()}


def _by_importance(layer: nn.Module, scores: Tensor) -> Tensor:
    """The output channels of a layer, that of the smallest sum of scores first."""
    return scores.movedim(channel_axis(layer), 0).flatten(1).sum(dim=1).argsort(stable=True)


def _left(layer: nn.Module, ranked: Tensor, most: int) -> list[float]:
    """The fraction of non-zero weights without the 0, 1, ... `most` least important channels."""
    live = (effective_weight(layer) != 0).movedim(channel_axis(layer), 0).flatten(1).sum(dim=1)[ranked].tolist()
    whole = max(1, sum(live))
    return [1.0 - sum(live[:count]) / whole for count in range(most + 1)]


def _features(
    layers: Mapping[str, nn.Module], costs: Mapping[str, Sequence[float]], scores: Mapping[str, Tensor]
) -> list[list[float]]:
    """Of every layer: its place in the network, and the logarithms of weights, cost and mean score."""
    rows = []
    for place, (name, layer) in enumerate(layers.items()):
        count = max(1, int((effective_weight(layer) != 0).sum()))
        mean = float(scores[name].sum()) / count
        rows.append([place / len(layers), math.log(count), math.log(costs[name][0] + 1.0), math.log(mean + 1e-30)])
    return rows
