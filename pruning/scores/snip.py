"""SNIP: how much the loss reacts to a weight's connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from disparsity.pruning.scores.evidence import has_evidence
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.settings import SnipSettings
from disparsity.pruning.scores.taylor import taylor_pass


def snip_scores(
    network: nn.Module, layers: Mapping[str, nn.Module], batch_loss: Callable[[int], Tensor], batches: int
) -> dict[str, Tensor]:
    """The derivative of the loss by a mask of ones, in absolute value, as a fraction of all weights' sum.

    The derivative by a weight's mask is ``w g``. Source: Lee et al., ICLR 2019, equations 4 to 6. Interpretation: the
    loss is the mean over several batches; the network is the one that is being pruned, trained and with BatchNorm in
    eval mode, where the paper scores a network at its initialisation, once.

    Args:
        network: put into eval mode for the pass and back afterwards.
        layers: the scored layers.
        batch_loss: the training loss of batch number i.
        batches: how many.

    """
    sizes = taylor_pass(network, layers, batch_loss, batches, "abs_mean")
    sums = [size.sum(dtype=torch.float64) for size in sizes.values() if has_evidence(size)]
    total = torch.stack(sums).sum() if sums else torch.zeros(())
    scale = float(1.0 / total) if total > 0 else 1.0  # scores that are all zero stay so, and are refused later
    return {name: (size.double() * scale).float() for name, size in sizes.items()}


def build_snip(context: ScoringContext, settings: SnipSettings) -> ScorePass:
    """A pass over the same batches at every event."""
    return lambda _event: snip_scores(context.network, context.layers, context.batch_loss, settings.batches)
