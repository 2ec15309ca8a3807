"""Scoring pass: gradients of some batches; the state of the network is restored afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from disparsity.base.distributed import average


def gradient_pass(
    network: nn.Module, batch_loss: Callable[[int], Tensor], batches: int, take: Callable[[], None]
) -> None:
    """Let `take` see the gradients of one batch after the other; BatchNorm in eval mode, nothing else changes.

    Args:
        network: put into eval mode for the pass and back afterwards; its gradients are kept.
        batch_loss: the loss (a scalar) of batch number i.
        batches: how many.
        take: called when the gradients of a batch lie on the trained tensors; of the whole batch, where processes
            share it.

    """
    training = network.training
    network.eval()
    kept = {name: parameter.grad for name, parameter in network.named_parameters()}
    for index in range(batches):
        network.zero_grad(set_to_none=True)
        cast(Callable[[], None], batch_loss(index).backward)()
        average([parameter.grad for parameter in network.parameters() if parameter.grad is not None])
        take()
    for name, parameter in network.named_parameters():
        parameter.grad = kept[name]
    network.train(training)
