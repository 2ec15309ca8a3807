"""Integer codes of a quantized weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import channel_axis, effective_weight
from disparsity.quant.attach import weight_quantizer

_LARGEST_BYTE = 127


@torch.no_grad()
def integer_codes(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """The codes and steps of a layer's effective weight: ``weights_from_codes`` gives it back bit by bit.

    Returns:
        Codes in the weight's shape, int8 where the largest is at most 127 and int16 above; steps ``[C]`` in float16.

    Raises:
        InputError: the layer's weight has no quantizer.

    """
    quantizer = weight_quantizer(layer)
    if quantizer is None:
        raise InputError("integer codes of a layer in float", where=type(layer).__name__, remedy="quantize it first")
    weight, steps = effective_weight(layer), quantizer.steps()
    # A code times a step is rounded at most once, so that dividing by the step comes back to within half a code.
    codes = (weight / _along(steps.float(), weight.ndim, quantizer.axis)).round()
    return codes.to(torch.int8 if quantizer.levels.high <= _LARGEST_BYTE else torch.int16), steps


def weights_from_codes(codes: Tensor, steps: Tensor, layer: nn.Module) -> Tensor:
    """The float32 weight of a layer from codes in its weight's shape and ``[C]`` float16 steps."""
    return codes.float() * _along(steps.float(), codes.ndim, channel_axis(layer))


def _along(steps: Tensor, num_axes: int, axis: int) -> Tensor:
    shape = [1] * num_axes
    shape[axis] = -1
    return steps.view(shape)
