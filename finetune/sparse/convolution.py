"""Sparse convolution with the non-zero weights only, forward and backward, in float32 on a CPU.

The gradient of a pruned weight is zero, as under a mask. A weight is a shift of a plane times a number; at 97 %
sparsity that is far less work than the dense product, whose library kernels see no zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disparsity.finetune.sparse.kernels import convolve, correlate, embed
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
    values = weight.reshape(-1)[torch.from_numpy(taps.index)].float()
    output = _SparseConvolution.apply(five, values, bias, taps, geometry)  # type: ignore[no-untyped-call]
    assert isinstance(output, Tensor)
    return output.squeeze(2) if inputs.dim() == 4 else output


class _SparseConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, values: Tensor, bias: Tensor | None, taps: Taps, geometry: Geometry
    ) -> Tensor:
        size = _size(inputs)
        layout = geometry.plane_size(size)
        planes = geometry.phases(inputs).flatten(2) if geometry.strided else _embedded(inputs, geometry.padding, layout)
        offsets = taps.offsets(layout)
        output = inputs.new_empty(inputs.shape[0], taps.outputs, *geometry.output_size(size))
        added = inputs.new_zeros(taps.outputs) if bias is None else bias.detach().float()
        _convolve(planes, taps.row_starts, taps.plane, offsets, values, added, layout, output)
        ctx.save_for_backward(planes, values)
        ctx.taps, ctx.geometry, ctx.offsets, ctx.size, ctx.layout = taps, geometry, offsets, size, layout
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient, front = gradients[0], int(ctx.offsets.max(initial=0))
        spread = _embedded(gradient, (0, 0, 0), ctx.layout, front)
        to_inputs = _to_inputs(ctx, spread, front) if ctx.needs_input_grad[0] else None
        to_values = _to_values(ctx, spread, front, _size(gradient)) if ctx.needs_input_grad[1] else None
        to_bias = gradient.sum((0, 2, 3, 4)) if ctx.needs_input_grad[2] else None
        return to_inputs, to_values, to_bias, None, None


def _to_inputs(ctx: Any, spread: Tensor, front: int) -> Tensor:
    """The transposed taps on the output's gradient; without a stride the padding is never computed."""
    taps, geometry, layout = ctx.taps, ctx.geometry, ctx.layout
    order, offsets = taps.by_plane, front - ctx.offsets[taps.by_plane]
    values = ctx.saved_tensors[1][torch.from_numpy(order)]
    shape = layout if geometry.strided else ctx.size
    if not geometry.strided:
        offsets = offsets + _flat(geometry.padding, layout)
    result = spread.new_empty(spread.shape[0], taps.planes, *shape)
    _convolve(
        spread, taps.plane_starts, taps.output[order], offsets, values, spread.new_zeros(taps.planes), layout, result
    )
    return geometry.from_phases(result, ctx.size) if geometry.strided else result


def _to_values(ctx: Any, spread: Tensor, front: int, size: Size) -> Tensor:
    taps, planes = ctx.taps, ctx.saved_tensors[0]
    span = _flat((size[0] - 1, size[1] - 1, size[2]), ctx.layout)
    sums = np.empty(len(taps.index), np.float64)
    in_parts(correlate, spread.numpy(), front, span, planes.numpy(), taps.row_starts, taps.plane, ctx.offsets, sums)
    return torch.from_numpy(sums).float()


def _convolve(
    planes: Tensor,
    starts: npt.NDArray[np.int64],
    plane: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    values: Tensor,
    bias: Tensor,
    layout: Size,
    output: Tensor,
) -> None:
    in_parts(
        convolve,
        planes.numpy(),
        starts,
        plane,
        offsets,
        values.detach().numpy(),
        bias.numpy(),
        layout,
        output.numpy(),
    )


def _embedded(source: Tensor, origin: Size, layout: Size, front: int = 0) -> Tensor:
    """``[B, C, front + D' H' W']``: the source at `origin` in zeros of size `layout`, after `front` zeros."""
    target = source.new_empty(*source.shape[:2], front + layout[0] * layout[1] * layout[2])
    in_parts(embed, source.detach().contiguous().numpy(), front, origin, layout, target.numpy())
    return target


def _flat(position: Size, layout: Size) -> int:
    return (position[0] * layout[1] + position[1]) * layout[2] + position[2]


def _size(tensor: Tensor) -> Size:
    return tensor.shape[2], tensor.shape[3], tensor.shape[4]
