"""Scoring context: the inputs of a score; a score is one float32 per weight, higher is more important."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

ScorePass = Callable[[int], dict[str, Tensor]]
"""The scores by layer, in the weights' shapes, never negative, for event number i (1-based); see `evidence`."""


@dataclass(frozen=True, kw_only=True)
class ScoringContext:
    """Inputs that scores may use.

    Attributes:
        network: the network that is pruned, masks attached.
        layers: the scored layers by name.
        batch_loss: the training loss (a scalar) of scoring batch number i.
        sample_loss: the same of a single sample.
        rounded: a layer's trained weight as its quantizer rounds it; the trained weight itself where there is none.
        ones_response: the summed outputs (a scalar) of a given network of this kind, in float64, when all its inputs
            are ones.
        saliencies: scores of a least-squares reconstruction; None unless the score is `obs`.
        seed: of random scores.

    """

    network: nn.Module
    layers: Mapping[str, nn.Module]
    batch_loss: Callable[[int], Tensor]
    sample_loss: Callable[[int], Tensor]
    rounded: Callable[[nn.Module], Tensor]
    ones_response: Callable[[nn.Module], Tensor]
    saliencies: Callable[[Mapping[str, nn.Module]], dict[str, Tensor]] | None
    seed: int
