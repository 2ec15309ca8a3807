"""Convolution as matrix product at sampled positions: rows of input patches and the matching outputs."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from disparsity.base.layers import is_plain, padded_input

_Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d


def supports(layer: nn.Module) -> bool:
    """Whether `patches` can lower the layer: ungrouped convolutions of any dimension."""
    return isinstance(layer, _Conv) and is_plain(layer) and layer.groups == 1


def random_positions(output: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Sampled output positions of ``[B, C, ...]`` as ``[count, 1 + dims]`` indices of batch and space."""
    sizes = (output.shape[0], *output.shape[2:])
    columns = [torch.randint(size, (count,), generator=generator) for size in sizes]
    return torch.stack(columns, dim=1).to(output.device)


def output_at(output: Tensor, positions: Tensor) -> Tensor:
    """The outputs ``[count, C]`` of ``[B, C, ...]`` at positions from `random_positions`."""
    batch, *space = positions.unbind(1)
    return output.movedim(1, -1)[(batch, *space)].float()


def patches(layer: nn.Module, inputs: Tensor, positions: Tensor) -> Tensor:
    """The input patches that produce the outputs at `positions`.

    Args:
        layer: a convolution that `supports` accepts.
        inputs: ``[B, C_in, ...]``, the layer's input.
        positions: ``[count, 1 + dims]``, output positions.

    Returns:
        ``[count, C_in * kernel volume]``, columns in the order of the flattened weight of one filter.

    """
    conv = cast(_Conv, layer)
    padded = padded_input(conv, inputs).movedim(1, -1)
    index: list[Tensor] = [positions[:, 0].view(-1, *([1] * len(conv.kernel_size)))]
    for axis, (kernel, stride, dilation) in enumerate(zip(conv.kernel_size, conv.stride, conv.dilation, strict=True)):
        taps = positions[:, 1 + axis, None] * stride + torch.arange(kernel, device=inputs.device) * dilation
        shape = [1] * len(conv.kernel_size)
        shape[axis] = kernel
        index.append(taps.view(-1, *shape))
    gathered = padded[tuple(index)]
    return gathered.movedim(-1, 1).flatten(1).float()
