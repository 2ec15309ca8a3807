"""Input power: the cost of removing a weight in layers that least squares does not cover (transposed, grouped)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from disparsity.base.layers import TRANSPOSED, trained_weight


def diagonal_saliencies(
    network: nn.Module, names: Collection[str], forward: Callable[[nn.Module], object]
) -> dict[str, Tensor]:
    """``w^2 E[x^2] / 2`` of every weight, x its input: the squared output error when nothing makes up for it.

    That is Optimal Brain Surgeon's saliency with the inputs' covariance taken as diagonal, and never smaller than
    it: layers scored so are, if anything, kept rather than pruned. Mean over output positions, as there; an input of a
    transposed convolution reaches one of `stride` positions along each axis.

    Args:
        network: run once in eval mode; its mode is restored.
        names: of convolutions, transposed or not, grouped or not.
        forward: runs a network on the calibration batch.

    Returns:
        float32 in the weight's shape, by name; zero for a layer that was not run.

    """
    saliencies = {name: torch.zeros_like(trained_weight(network.get_submodule(name))) for name in names}
    seen: set[str] = set()

    def visit(name: str, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if name not in seen:
            seen.add(name)
            saliencies[name] = _saliency(layer, inputs[0])

    training = network.training
    with ExitStack() as stack, torch.no_grad():
        for name in names:
            hook = network.get_submodule(name).register_forward_pre_hook(partial(visit, name))
            stack.callback(hook.remove)
        network.eval()
        forward(network)
    network.train(training)
    return saliencies


def by_filter(layer: nn.Module, values: Tensor) -> Tensor:
    """One value per output channel ``[C_out]``, shaped so that it multiplies the layer's weight."""
    ones = [1] * (trained_weight(layer).dim() - 2)
    if not isinstance(layer, TRANSPOSED):
        return values.view(-1, 1, *ones)
    each = layer.in_channels // layer.groups
    return values.view(layer.groups, 1, -1).expand(-1, each, -1).reshape(layer.in_channels, -1, *ones)


def _saliency(layer: nn.Module, inputs: Tensor) -> Tensor:
    weight, groups = trained_weight(layer).float(), cast(int, layer.groups)
    power = inputs.float().square().mean(dim=[0, *range(2, inputs.dim())])
    ones = [1] * (weight.dim() - 2)
    if isinstance(layer, TRANSPOSED):
        return 0.5 * weight.square() * power.view(-1, 1, *ones) / math.prod(layer.stride)
    own = power.view(groups, 1, -1).expand(-1, weight.shape[0] // groups, -1).reshape(weight.shape[0], -1, *ones)
    return 0.5 * weight.square() * own
