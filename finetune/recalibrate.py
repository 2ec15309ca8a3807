"""BatchNorm recalibration: statistics are measured again, in the precision in which the network is used."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from disparsity.finetune.shared_norm import shared_statistics

_NORMS = nn.modules.batchnorm._BatchNorm


@torch.no_grad()
def recalibrate(network: nn.Module, forward: Callable[[nn.Module, int], object], batches: int) -> None:
    """Replace running means and variances by the averages over `batches` batches in float32.

    Training under bfloat16 leaves means that are off by its rounding. In a channel that pruning has made constant
    the variance is zero, and BatchNorm divides that error by ``sqrt(eps)``: it grows 300 times.

    Args:
        network: changed in place; a network without BatchNorm is left as it is.
        forward: runs the network on batch number i.
        batches: how many; 0 changes nothing.

    """
    norms = [module for module in network.modules() if isinstance(module, _NORMS) and module.track_running_stats]
    if not norms or not batches:
        return
    training = network.training
    momenta = [norm.momentum for norm in norms]
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with shared_statistics(network):
        for index in range(batches):
            forward(network, index)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(training)
