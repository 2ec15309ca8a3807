"""How important a weight is: one float32 per weight, higher is more important."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from disparsity.pruning.masks import trained_weight


def magnitude(weight: Tensor) -> Tensor:
    """Absolute value. Source: Han et al., NeurIPS 2015."""
    return weight.detach().abs().float()


def taylor_term(weight: Tensor, gradient: Tensor) -> Tensor:
    """One batch's contribution to the Taylor score: ``(weight x gradient) ** 2`` in float32.

    Zeroing a weight changes the loss by about ``-w g``; its square, averaged over batches, is the score.
    Source: Molchanov et al., CVPR 2019, equation 8, per weight instead of per filter. That this is the score of
    "Joint Pruning and Quantization for Extremely Sparse Neural Networks" is an Interpretation.
    """
    return (weight.detach().float() * gradient.detach().float()).square()


class TaylorScore:
    """Taylor scores of a network's layers, accumulated over batches.

    A weight that several calls share (both views of a siamese tower) is one tensor whose gradient already sums all
    calls, so it is counted once.

    Args:
        layers: the scored layers by name.
        decay: None accumulates the mean over batches; otherwise the running average keeps this share per batch.

    """

    def __init__(self, layers: Mapping[str, nn.Module], decay: float | None = None) -> None:
        self._layers = layers
        self._decay = decay
        self.batches = 0
        self.sums = {
            name: torch.zeros_like(trained_weight(layer), dtype=torch.float32) for name, layer in layers.items()
        }

    def add_batch(self) -> None:
        """Take in the gradients that a backward pass has just left on the trained tensors."""
        self.batches += 1
        for name, layer in self._layers.items():
            weight = trained_weight(layer)
            if weight.grad is None:
                continue
            term = taylor_term(weight, weight.grad)
            if self._decay is None:
                self.sums[name] += term
            else:
                self.sums[name].mul_(self._decay).add_(term, alpha=1.0 - self._decay)

    def scores(self) -> dict[str, Tensor]:
        """The score per layer; a running average is corrected for its start at zero."""
        assert self.batches > 0, "no batch was scored"
        scale = 1.0 / self.batches if self._decay is None else 1.0 / (1.0 - self._decay**self.batches)
        return {name: total * scale for name, total in self.sums.items()}

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold to go on exactly here."""
        return {**self.sums, "batches": torch.tensor(self.batches)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self.batches = int(state["batches"])
        for name, total in self.sums.items():
            total.copy_(state[name])


def magnitude_scores(layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Magnitudes of the trained tensors."""
    return {name: magnitude(trained_weight(layer)) for name, layer in layers.items()}


def random_scores(layers: Mapping[str, nn.Module], generator: torch.Generator) -> dict[str, Tensor]:
    """Uniform noise, the control that every score must beat."""
    return {name: torch.rand(trained_weight(layer).shape, generator=generator) for name, layer in layers.items()}


SCORES: dict[str, str] = {
    "taylor": "running average of (weight x gradient)^2 from the training steps, at no extra pass",
    "taylor_pass": "mean over batches of (weight x gradient)^2 in a pass of its own, BatchNorm in eval mode",
    "obs": "error that is left after the layer's other weights are solved again, times the disparity's sensitivity",
    "magnitude": "absolute value of the weight",
    "random": "seeded noise, the control",
}


def taylor_pass(
    network: nn.Module, layers: Mapping[str, nn.Module], batch_loss: Callable[[int], Tensor], batches: int
) -> dict[str, Tensor]:
    """Taylor scores from a pass of its own: BatchNorm in eval mode, statistics and gradients left as they were.

    Args:
        network: put into eval mode for the pass and back afterwards.
        layers: the scored layers.
        batch_loss: the training loss of batch number i.
        batches: how many.

    """
    training = network.training
    network.eval()
    kept = {name: parameter.grad for name, parameter in network.named_parameters()}
    score = TaylorScore(layers)
    for index in range(batches):
        network.zero_grad(set_to_none=True)
        cast(Callable[[], None], batch_loss(index).backward)()
        score.add_batch()
    for name, parameter in network.named_parameters():
        parameter.grad = kept[name]
    network.train(training)
    return score.scores()


def per_mac(scores: Mapping[str, Tensor], macs: Mapping[str, float], power: float) -> dict[str, Tensor]:
    """Divide every layer's scores by the MACs that one of its weights costs, to a power.

    Power 0 leaves the scores alone (memory is what counts), 1 ranks by importance per operation.
    Interpretation: the right ranking when the objective is hardware cost rather than parameter count.
    """
    return {name: score / macs[name] ** power for name, score in scores.items()}
