"""Optimal Brain Surgeon with the diagonal of the empirical Fisher matrix as curvature."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.scores.evidence import no_evidence
from disparsity.pruning.scores.passes import gradient_pass
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.settings import FisherObsSettings


class FisherDiagonal:
    """The mean square of every weight's gradient over samples.

    Args:
        layers: the layers by name.

    """

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        self._layers = layers
        self._sums = {
            name: torch.zeros_like(trained_weight(layer), dtype=torch.float32) for name, layer in layers.items()
        }
        self._samples = 0
        self._reached: set[str] = set()

    def add_sample(self) -> None:
        """Take in the gradients of one sample."""
        self._samples += 1
        for name, layer in self._layers.items():
            gradient = trained_weight(layer).grad
            if gradient is not None:
                self._reached.add(name)
                self._sums[name] += gradient.detach().float().square()

    def values(self) -> dict[str, Tensor]:
        """``F_ii`` per layer that gradients have reached, float32."""
        assert self._samples > 0, "no sample was seen"
        return {name: self._sums[name] / self._samples for name in self._sums if name in self._reached}


def fisher_obs_scores(
    network: nn.Module, layers: Mapping[str, nn.Module], sample_loss: Callable[[int], Tensor], samples: int
) -> dict[str, Tensor]:
    """``w^2 F_ii / 2``: the second-order rise of the loss without the weight, the Fisher matrix being diagonal.

    Source: Optimal Brain Surgeon (Hassibi and Stork, NeurIPS 1992), equation 5, ``w^2 / (2 [H^-1]_ii)``; the empirical
    Fisher matrix for H as in WoodFisher (Singh and Alistarh, NeurIPS 2020). Interpretation: only its diagonal, so that
    ``1 / [F^-1]_ii = F_ii`` and the other weights stay as they are; no first-order term, which would make scores
    negative. The Fisher matrix is an average over samples, not batches, whose averaged gradients are too small; with
    batches of one sample the ranking is that of the Taylor form `mean_sq`.

    Args:
        network: put into eval mode for the pass and back afterwards.
        layers: the scored layers.
        sample_loss: the training loss of sample number i.
        samples: how many.

    """
    fisher = FisherDiagonal(layers)
    gradient_pass(network, sample_loss, samples, fisher.add_sample)
    curvature = fisher.values()
    weights = {name: trained_weight(layer).detach().float() for name, layer in layers.items()}
    return {
        name: 0.5 * weight.square() * curvature[name] if name in curvature else no_evidence(weight)
        for name, weight in weights.items()
    }


def build_fisher_obs(context: ScoringContext, settings: FisherObsSettings) -> ScorePass:
    """A pass over the same samples at every event."""
    return lambda _event: fisher_obs_scores(context.network, context.layers, context.sample_loss, settings.samples)
