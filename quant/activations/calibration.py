"""Activation calibration: grids and first steps of the input quantizers, from a few batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.eval_mode import evaluating
from disparsity.quant.activations.calibration_rules import CALIBRATION_RULES, Observed
from disparsity.quant.activations.settings import CalibrationSettings, PercentileRuleSettings
from disparsity.quant.attach import input_quantizer, quantized_layers
from disparsity.quant.bits import offset_grid
from disparsity.quant.quantizers.base import ActivationQuantizer

_UNUSED_STEP = 1.0
_LARGEST_SHARE = 0.25
_NEGATIVE_SHARES = (0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625, 0.03125)
"""Shares of the codes that may be negative; a leaky rectifier with slope 0.2 needs about a sixth."""


@dataclass(kw_only=True)
class _Observation:
    """What one layer's input looked like."""

    settings: CalibrationSettings
    generator: torch.Generator
    minimum: float = math.inf
    maximum: float = -math.inf
    samples: list[Tensor] = field(default_factory=list)
    counts: list[Tensor] = field(default_factory=list)

    def seen(self) -> Observed:
        return Observed(torch.cat(self.samples), torch.cat(self.counts), self.minimum, self.maximum)

    def add(self, values: Tensor) -> None:
        flat = values.detach().flatten()
        lowest, highest = torch.aminmax(flat)
        # Not min() and max() of Python, which lose a NaN: the check at the end must see it.
        self.minimum = float(torch.minimum(lowest.cpu(), torch.tensor(self.minimum)))
        self.maximum = float(torch.maximum(highest.cpu(), torch.tensor(self.maximum)))
        sample, counts = _sampled(flat.float(), self.settings.samples_per_call, self.generator)
        self.samples.append(sample.cpu())
        self.counts.append(counts.cpu())


def _sampled(flat: Tensor, most: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """About `most` values and how many each stands for: the largest magnitudes themselves, and of the rest a sample."""
    if flat.numel() <= most:
        return flat, torch.ones_like(flat)
    largest = flat.abs().topk(math.ceil(most * _LARGEST_SHARE)).indices
    # Random positions: an even stride would keep meeting the same image columns.
    chosen = torch.randint(flat.numel(), (most - len(largest),), generator=generator).to(flat.device)
    rest = flat[chosen[~torch.isin(chosen, largest)]]
    weight = (flat.numel() - len(largest)) / max(1, len(rest))
    counts = torch.cat([torch.ones_like(flat[largest]), torch.full_like(rest, weight)])
    return torch.cat([flat[largest], rest]), counts


@torch.no_grad()
def calibrate(
    network: nn.Module, batches: Iterable[tuple[Tensor, ...]], settings: CalibrationSettings | None = None
) -> None:
    """Run the batches with activations in float, then give every activation quantizer its lowest code and its step.

    The network runs in eval mode and its modes are restored. A quantizer has no negative codes when no observed value
    was negative; otherwise the fraction of negative codes is the one with the smallest mean squared rounding error.
    An input that was zero everywhere gets the step 1, since every step represents it exactly.

    Args:
        network: with quantizers attached; nothing else of it changes.
        batches: positional arguments of the network, one tuple per call.
        settings: rule and sample size; the defaults when None.

    Raises:
        InputError: no batch was given, a layer was never called, or an input was not finite; no quantizer has changed.

    """
    settings = settings or CalibrationSettings()
    layers = {name: layer for name, layer in quantized_layers(network).items() if input_quantizer(layer)}
    with _observing(network, layers, settings) as observations:
        for batch in batches:
            network(*batch)
    for name, observation in observations.items():
        _check(name, observation)
    for name, observation in observations.items():
        _set(_quantizer(layers[name]), observation)


@contextmanager
def _observing(
    network: nn.Module, layers: dict[str, nn.Module], settings: CalibrationSettings
) -> Iterator[dict[str, _Observation]]:
    """Eval mode, and every activation quantizer only looks at its input and passes it through."""
    observations = {}
    for name, layer in layers.items():
        generator = torch.Generator().manual_seed(settings.seed)
        observations[name] = _Observation(settings=settings, generator=generator)
        _quantizer(layer).observer = observations[name].add
    try:
        with evaluating(network):
            yield observations
    finally:
        for layer in layers.values():
            _quantizer(layer).observer = None


def _check(name: str, observation: _Observation) -> None:
    if not observation.samples:
        remedy = "give at least one batch, and leave layers that are not run in float"
        raise InputError("the calibration never reached this layer", where=name, remedy=remedy)
    if not (math.isfinite(observation.minimum) and math.isfinite(observation.maximum)):
        found = f"range {observation.minimum:g} .. {observation.maximum:g}"
        raise InputError("the layer's input is not finite during calibration", where=name, found=found)


def _set(quantizer: ActivationQuantizer, observation: _Observation) -> None:
    seen = observation.seen()
    found = [(_fit(seen, observation.settings, quantizer.bits, low), low) for low in _lowest_codes(quantizer, seen)]
    (_, step), quantizer.low = min(found, key=lambda entry: entry[0][0])
    quantizer.set_step(step)


def _lowest_codes(quantizer: ActivationQuantizer, observation: Observed) -> list[int]:
    """Candidates: 0 for what is never negative, else from a half of the codes down."""
    if observation.minimum >= 0:
        return [0]
    if quantizer.bits == 1:  # the one code beside 0 stands on one side
        return [0, -1] if observation.maximum > 0 else [-1]
    if observation.maximum <= 0:
        return [2 - 2**quantizer.bits]
    return sorted({-max(1, round(share * 2**quantizer.bits)) for share in _NEGATIVE_SHARES})


def _fit(seen: Observed, settings: CalibrationSettings, bits: int, low: int) -> tuple[float, float]:
    """Squared rounding error on a grid, and the step that the rule gives there."""
    if seen.minimum == seen.maximum == 0.0:
        return 0.0, _UNUSED_STEP
    low, high = offset_grid(bits, low)
    percentile = settings.rule.percentile if isinstance(settings.rule, PercentileRuleSettings) else 100.0
    step = CALIBRATION_RULES[settings.rule.name](seen, low, high, percentile)
    error = (seen.values / step).round_().clamp_(low, high).mul_(step).sub_(seen.values).square_()
    return float(error.mul_(seen.counts).sum()), step


def _quantizer(layer: nn.Module) -> ActivationQuantizer:
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    return quantizer
