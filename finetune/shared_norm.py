"""BatchNorm over the whole batch when several processes have a part of it each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from disparsity.base import distributed

_Norm = nn.modules.batchnorm._BatchNorm


@contextmanager
def shared_statistics(network: nn.Module) -> Iterator[None]:
    """Let the BatchNorms in train mode measure the parts of all processes inside the block; alone, nothing changes.

    Outputs, gradients and running statistics are those of one process with all parts, which must be of one size.
    torch's own synchronised BatchNorm needs a GPU.
    """
    norms = [module for module in network.modules() if isinstance(module, _Norm)] if distributed.processes() > 1 else []
    for norm in norms:
        # a partial, whose copy in a copied network belongs to the copied layer
        norm.forward = partial(_forward, norm)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for norm in norms:
            vars(norm).pop("forward")  # the class's own is visible again


def _forward(norm: _Norm, inputs: Tensor) -> Tensor:
    if not norm.training:
        return type(norm).forward(norm, inputs)
    mean, variance = _statistics(inputs.detach())
    _follow(norm, mean, variance, inputs.numel() // inputs.shape[1] * distributed.processes())
    normalised = _Normalise.apply(inputs.float(), mean.float(), (variance + norm.eps).rsqrt().float())  # type: ignore[no-untyped-call]
    if norm.affine:
        shape = _along_channels(inputs)
        normalised = normalised * norm.weight.view(shape) + norm.bias.view(shape)
    return cast(Tensor, normalised).to(inputs.dtype)


def _statistics(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance ``[C]`` over all parts, float64."""
    variance, mean = torch.var_mean(inputs.float(), _all_but_channels(inputs), correction=0)
    moments = torch.stack([mean.double(), variance.double() + mean.double().square()])
    distributed.average([moments])
    return moments[0], (moments[1] - moments[0].square()).clamp(min=0.0)


@torch.no_grad()
def _follow(norm: _Norm, mean: Tensor, variance: Tensor, count: int) -> None:
    """Move the running statistics, the variance without bias, as BatchNorm does."""
    if not norm.track_running_stats:
        return
    assert norm.num_batches_tracked is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.num_batches_tracked += 1
    share = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean), share)
    norm.running_var.lerp_((variance * count / max(1, count - 1)).to(norm.running_var), share)


class _Normalise(torch.autograd.Function):
    """``(x - mean) / deviation`` with a gradient through both, which depend on the parts of all processes."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        shape = _along_channels(inputs)
        normalised = (inputs - mean.view(shape)).mul_(scale.view(shape))
        ctx.save_for_backward(normalised, scale)
        return normalised

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - once_differentiable's stub drops names
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, None, None]:
        normalised, scale = ctx.saved_tensors
        gradient, axes, shape = gradients[0], _all_but_channels(normalised), _along_channels(normalised)
        means = torch.stack([gradient.mean(axes), (gradient * normalised).mean(axes)])
        distributed.average([means])
        change = gradient - means[0].view(shape)
        change.sub_(normalised * means[1].view(shape)).mul_(scale.view(shape))
        return change, None, None


def _all_but_channels(inputs: Tensor) -> list[int]:
    return [0, *range(2, inputs.ndim)]


def _along_channels(inputs: Tensor) -> list[int]:
    return [1, -1, *[1] * (inputs.ndim - 2)]
