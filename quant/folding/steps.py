"""Steps that go into the BatchNorm behind a layer, so that the layer itself computes with integer codes."""

from __future__ import annotations

import copy
from typing import TypeVar, cast

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from disparsity.base.errors import InputError

Norm = TypeVar("Norm", bound=_BatchNorm)


@torch.no_grad()
def norm_of_codes(norm: Norm, steps: Tensor) -> Norm:
    """The BatchNorm that gives for a layer's integer codes what `norm` gives for the weights ``codes * steps``.

    Only for layers without a bias. Mean and variance are those of the integer outputs; gamma makes up for the constant
    that is added to the variance: ``gamma' = gamma s sqrt((v / s^2 + eps) / (v + eps))``. Source: section 3 of Yu et
    al. (arXiv 1908.01477) says that the scales of filter groups merge into BatchNorm; the formula is an Interpretation.

    Args:
        norm: with running statistics; it stays as it is.
        steps: ``[C]``, one per channel of the norm, as `WeightQuantizer.steps` gives them.

    Raises:
        InputError: the norm has no running statistics, or another number of channels.

    """
    if norm.running_var is None or len(steps) != norm.num_features:
        found = f"{len(steps)} steps, {norm.num_features} channels, statistics: {norm.running_var is not None}"
        raise InputError("these steps cannot go into this BatchNorm", found=found, expected="one step per channel")
    result, step = copy.deepcopy(norm), steps.double().to(norm.running_var.device)
    mean, variance = cast(Tensor, norm.running_mean).double() / step, norm.running_var.double() / step.square()
    gamma = norm.weight.double() if norm.affine else torch.ones_like(mean)
    cast(Tensor, result.running_mean).copy_(mean)
    cast(Tensor, result.running_var).copy_(variance)
    correction = ((variance + norm.eps) / (norm.running_var.double() + norm.eps)).sqrt()
    result.weight = torch.nn.Parameter((gamma * step * correction).to(norm.running_var.dtype))
    if not norm.affine:
        result.affine, result.bias = True, torch.nn.Parameter(torch.zeros_like(result.weight))
    return result
