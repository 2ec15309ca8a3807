"""Geometry of a layer without its weights: positions of the products, and the channel of each sum."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from disparsity.base.layers import TRANSPOSED, layer_kind

_SHAPE = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")


def spatial_axes(layer: nn.Module) -> int:
    """How many axes the kernel has; 0 for a linear layer."""
    return 0 if isinstance(layer, nn.Linear) else len(cast(tuple[int, ...], layer.kernel_size))


@torch.no_grad()
def bare_layer(layer: nn.Module, weight: Tensor, **changes: Any) -> nn.Module:
    """A plain torch layer of the same shape with another weight, in that weight's type, and without a bias."""
    kind = layer_kind(layer)
    if kind is nn.Linear:
        shape: dict[str, Any] = {name: getattr(layer, name) for name in ("in_features", "out_features")}
    else:
        names = (*_SHAPE, "output_padding") if kind in TRANSPOSED else _SHAPE
        shape = {name: getattr(layer, name) for name in names} | changes
    bare: Any = skip_init(kind, **shape, bias=False, dtype=weight.dtype)  # type: ignore[no-untyped-call]
    bare.weight.copy_(weight)
    return cast(nn.Module, bare.requires_grad_(False).eval())


@torch.no_grad()
def largest_sums(layer: nn.Module, codes: Tensor) -> list[int]:
    """By output channel, the sizes of the weights that meet in one output, added up, of the output where that is most.

    A transposed convolution with a stride uses in every output only some of its taps.
    """
    sizes = codes.double().abs()
    if not isinstance(layer, TRANSPOSED):
        return [int(total) for total in sizes.flatten(1).sum(dim=1)]
    axes = spatial_axes(layer)
    extents = zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
    # So many inputs that in the middle every output has all of its taps, for as many outputs as the stride.
    lengths = [-(-dilation * (kernel - 1) // stride) + 2 for kernel, stride, dilation in extents]
    unpadded = bare_layer(layer, sizes, padding=(0,) * axes, output_padding=(0,) * axes)
    meeting = unpadded(torch.ones(1, layer.in_channels, *lengths, dtype=torch.float64))
    return [int(total) for total in meeting[0].flatten(1).amax(dim=1)]


def channel_steps(layer: nn.Module, steps: Tensor) -> list[float]:
    """The step of every output channel; the groups of a transposed convolution share theirs."""
    repeats = layer.groups if isinstance(layer, TRANSPOSED) else 1
    return steps.float().repeat(repeats).tolist()
