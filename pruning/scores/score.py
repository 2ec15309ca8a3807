"""What a score is: a name in the registry, and how to get one float32 per weight, higher is more important."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

ScorePass = Callable[[int], dict[str, Tensor]]
"""The scores by layer, in the weights' shapes, never negative, for event number i (1-based); see `evidence`."""


@dataclass(frozen=True, kw_only=True)
class ScoringContext:
    """What scores may ask for.

    Attributes:
        network: the network that is pruned, masks attached.
        layers: the scored layers by name.
        batch_loss: the training loss (a scalar) of scoring batch number i.
        sample_loss: the same of a single sample.
        rounded: a layer's trained weight as its quantizer rounds it; the trained weight itself where there is none.
        ones_response: the summed outputs (a scalar) of a given network of this kind, in float64, when all its inputs
            are ones.
        saliencies: scores of a least-squares reconstruction.
        batches: how many batches or samples a pass takes.
        taylor_form: name in `TAYLOR_FORMS`.
        seed: of random scores.

    """

    network: nn.Module
    layers: Mapping[str, nn.Module]
    batch_loss: Callable[[int], Tensor]
    sample_loss: Callable[[int], Tensor]
    rounded: Callable[[nn.Module], Tensor]
    ones_response: Callable[[nn.Module], Tensor]
    saliencies: Callable[[Mapping[str, nn.Module]], dict[str, Tensor]]
    batches: int
    taylor_form: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """An entry of the registry.

    Attributes:
        description: one line for users.
        build: makes the pass that is asked at every event; None is a score that the training steps leave behind.
        with_norms: the scales of BatchNorm and the weights they scale get scores of one unit, so that both may count
            towards a channel.
        under_quantizers: it is right for weights behind quantizers, too. A quantizer passes no gradient to a weight
            that it clips, so that scores of trained tensors by their gradients would call the largest ones worthless.

    """

    description: str
    build: Callable[[ScoringContext], ScorePass] | None
    with_norms: bool = False
    under_quantizers: bool = False
