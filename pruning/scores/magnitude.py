"""Magnitude scores, and random scores as the control."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.scores.score import ScorePass, ScoringContext


def magnitude_scores(layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Absolute values of the trained tensors in float32. Source: Han et al., NeurIPS 2015."""
    return {name: trained_weight(layer).detach().abs().float() for name, layer in layers.items()}


def random_scores(layers: Mapping[str, nn.Module], generator: torch.Generator) -> dict[str, Tensor]:
    """Uniform noise, the control that every score must beat."""
    weights = {name: trained_weight(layer) for name, layer in layers.items()}
    return {name: torch.rand(weight.shape, generator=generator).to(weight.device) for name, weight in weights.items()}


def build_magnitude(context: ScoringContext, _settings: object) -> ScorePass:
    """The sizes at the event."""
    return lambda _event: magnitude_scores(context.layers)


def build_random(context: ScoringContext, _settings: object) -> ScorePass:
    """Other noise at every event, the same for a seed."""
    return lambda event: random_scores(context.layers, torch.Generator().manual_seed(context.seed * 1_000 + event))
