"""A convolution that computes with the non-zero weights only, forward and backward, in float32 on a CPU.

The gradient of a pruned weight is zero, as under a mask. A weight is a shift of a plane times a number; at 97 %
sparsity that is far less work than the dense product, whose library kernels see no zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from disparsity.finetune.sparse.kernels import convolve, correlate, scatter_back
from disparsity.finetune.sparse.parts import in_parts
from disparsity.finetune.sparse.taps import Geometry, Size, Taps


def sparse_convolution(inputs: Tensor, weight: Tensor, bias: Tensor | None, taps: Taps, geometry: Geometry) -> Tensor:
    """The convolution of `inputs` with the weights that `taps` names.

    Args:
        inputs: ``[B, C, H, W]`` or ``[B, C, D, H, W]``.
        weight: ``[O, C, (D,) H, W]``; values outside the taps are ignored and get no gradient.
        bias: ``[O]`` or None.
        taps: from the layer's mask.
        geometry: from the layer.

    Returns:
        ``[B, O, (D,) H', W']``, float32.

    """
    five = inputs.float().unsqueeze(2) if inputs.dim() == 4 else inputs.float()
    depth, height, width = five.shape[2:]
    size = geometry.output_size((depth, height, width))
    values = weight.reshape(-1)[torch.from_numpy(taps.index)]
    output = _SparseConvolution.apply(geometry.planes(five), values.float(), bias, taps, size)  # type: ignore[no-untyped-call]
    assert isinstance(output, Tensor)
    return output.squeeze(2) if inputs.dim() == 4 else output


class _SparseConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, planes: Tensor, values: Tensor, bias: Tensor | None, taps: Taps, size: Size) -> Tensor:
        offsets = taps.offsets(_size(planes))
        output = planes.new_empty(planes.shape[0], taps.outputs, *size)
        added = planes.new_zeros(taps.outputs) if bias is None else bias.detach().float()
        in_parts(
            convolve,
            planes.flatten(2).numpy(),
            taps.row_starts,
            taps.plane,
            offsets,
            values.detach().numpy(),
            added.numpy(),
            (planes.shape[3], planes.shape[4]),
            output.numpy(),
        )
        ctx.save_for_backward(planes, values)
        ctx.taps, ctx.offsets = taps, offsets
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        planes, values = ctx.saved_tensors
        taps, offsets, gradient = ctx.taps, ctx.offsets, gradients[0]
        front = int(offsets.max(initial=0))
        spread = _spread(gradient, front, _size(planes))
        to_planes = _to_planes(spread, front, values, taps, offsets, planes) if ctx.needs_input_grad[0] else None
        to_values = _to_values(spread, front, gradient, taps, offsets, planes) if ctx.needs_input_grad[1] else None
        to_bias = gradient.sum((0, 2, 3, 4)) if ctx.needs_input_grad[2] else None
        return to_planes, to_values, to_bias, None, None


def _spread(gradient: Tensor, front: int, size: Size) -> Tensor:
    """The gradient in the planes' geometry, zeros around it, after `front` zeros: ``[B, O, front + D' H' W']``."""
    spread = gradient.new_zeros(*gradient.shape[:2], front + size[0] * size[1] * size[2])
    depth, height, width = gradient.shape[2:]
    spread[:, :, front:].view(*gradient.shape[:2], *size)[:, :, :depth, :height, :width] = gradient
    return spread


def _to_planes(
    spread: Tensor, front: int, values: Tensor, taps: Taps, offsets: np.ndarray[Any, Any], planes: Tensor
) -> Tensor:
    order, result = taps.by_plane, torch.empty_like(planes)
    in_parts(
        scatter_back,
        spread.numpy(),
        taps.plane_starts,
        taps.output[order],
        front - offsets[order],
        values.numpy()[order],
        result.flatten(2).numpy(),
    )
    return result


def _to_values(
    spread: Tensor, front: int, gradient: Tensor, taps: Taps, offsets: np.ndarray[Any, Any], planes: Tensor
) -> Tensor:
    (depth, height, width), (_, rows, columns) = gradient.shape[2:], _size(planes)
    span = ((depth - 1) * rows + height - 1) * columns + width
    sums = np.empty(len(taps.index), np.float64)
    everything = planes.flatten(2).numpy()
    in_parts(correlate, spread.numpy(), front, span, everything, taps.row_starts, taps.plane, offsets, sums)
    return torch.from_numpy(sums).float()


def _size(planes: Tensor) -> Size:
    return planes.shape[2], planes.shape[3], planes.shape[4]
