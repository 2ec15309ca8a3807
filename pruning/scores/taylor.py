"""Taylor scores: weight times gradient as an estimate of the change of the loss without the weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.scores.evidence import has_evidence, no_evidence
from disparsity.pruning.scores.passes import gradient_pass
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.settings import TaylorPassSettings

TAYLOR_FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean_sq": torch.square,
    "mean_abs": torch.abs,
    "abs_mean": lambda product: product,
}
"""What is averaged over batches, from ``weight x gradient`` of one batch.

Zeroing a weight changes the loss by about ``-w g``. `mean_sq` averages the squares; source: Molchanov et al., CVPR
2019, equation 8, per weight instead of per filter. `mean_abs` averages the sizes; source: Molchanov et al., ICLR 2017
(the criterion's absolute value), per weight instead of per feature map. `abs_mean` is the size of the average, the
literal change of the loss over all batches; near a minimum the average gradient vanishes and only noise remains.
That any of them is the score of "Joint Pruning and Quantization for Extremely Sparse Neural Networks" is an
Interpretation.
"""


def taylor_term(weight: Tensor, gradient: Tensor, form: str = "mean_sq") -> Tensor:
    """One batch's contribution to the Taylor score, in the weight's shape and float32; see `TAYLOR_FORMS`."""
    return TAYLOR_FORMS[form](weight.detach().float() * gradient.detach().float())


class TaylorScore:
    """Taylor scores of a network's layers, accumulated over batches.

    A weight that several calls share (both views of a siamese tower) is one tensor whose gradient already sums all
    calls, so it is counted once.

    Args:
        layers: the scored layers by name.
        decay: None accumulates the mean over batches; otherwise the running average keeps this fraction per batch.
        form: name in `TAYLOR_FORMS`.

    """

    def __init__(self, layers: Mapping[str, nn.Module], decay: float | None = None, form: str = "mean_sq") -> None:
        self._layers = layers
        self._decay = decay
        self._form = form
        self.batches = 0
        self._reached: set[str] = set()
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
            self._reached.add(name)
            term = taylor_term(weight, weight.grad, self._form)
            if self._decay is None:
                self.sums[name] += term
            else:
                self.sums[name].mul_(self._decay).add_(term, alpha=1.0 - self._decay)

    def scores(self) -> dict[str, Tensor]:
        """The score per layer, see `evidence`; a running average is corrected for its start at zero."""
        assert self.batches > 0, "no batch was scored"
        scale = 1.0 / self.batches if self._decay is None else 1.0 / (1.0 - self._decay**self.batches)
        means = {
            name: total * scale if name in self._reached else no_evidence(total) for name, total in self.sums.items()
        }
        return {name: _size(mean) for name, mean in means.items()} if self._form == "abs_mean" else means

    def state(self) -> dict[str, Tensor]:
        """The state that a checkpoint must hold for an exact resumption."""
        reached = torch.tensor([name in self._reached for name in self.sums])
        return {**self.sums, "batches": torch.tensor(self.batches), "reached": reached}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self.batches = int(state["batches"])
        self._reached = {name for name, seen in zip(self.sums, state["reached"], strict=True) if seen}
        for name, total in self.sums.items():
            total.copy_(state[name])


def _size(mean: Tensor) -> Tensor:
    return mean.abs() if has_evidence(mean) else mean


def taylor_pass(
    network: nn.Module,
    layers: Mapping[str, nn.Module],
    batch_loss: Callable[[int], Tensor],
    batches: int,
    form: str = "mean_sq",
) -> dict[str, Tensor]:
    """Taylor scores from a pass of its own: BatchNorm in eval mode, statistics and gradients left as they were.

    Args:
        network: put into eval mode for the pass and back afterwards.
        layers: the scored layers.
        batch_loss: the training loss of batch number i.
        batches: how many.
        form: name in `TAYLOR_FORMS`.

    """
    score = TaylorScore(layers, form=form)
    gradient_pass(network, batch_loss, batches, score.add_batch)
    return score.scores()


def build_taylor_pass(context: ScoringContext, settings: TaylorPassSettings) -> ScorePass:
    """A pass over the same batches at every event."""
    return lambda _event: taylor_pass(
        context.network, context.layers, context.batch_loss, settings.batches, settings.form
    )
