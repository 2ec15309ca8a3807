"""Fake quantization to a uniform grid, with the gradients of learned step size quantization.

Source: Esser et al., Learned Step Size Quantization, ICLR 2020, equations 1 to 5.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from disparsity.quant.grids.step_search import Rounding


class _FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        step: Tensor,
        low: int,
        high: int,
        gradient_scale: Tensor | float,
        nearest: Rounding | None,
    ) -> Tensor:
        codes = nearest(values / step) if nearest else (values / step).round_().clamp_(low, high)
        quantized = codes.mul_(step)
        ctx.save_for_backward(values, quantized, step)
        ctx.low, ctx.high, ctx.gradient_scale = low, high, gradient_scale
        return quantized

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - once_differentiable's stub drops names
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, None, None, None, None]:
        values, quantized, step = ctx.saved_tensors
        clipped = torch.minimum(values, ctx.high * step)
        # 1.0 inside and 0.0 outside, in place: several times faster than boolean masks, and no further memory.
        inside = torch.maximum(clipped, ctx.low * step, out=clipped).eq_(values)
        values_gradient = gradients[0] * inside if ctx.needs_input_grad[0] else None
        step_gradient = None
        if ctx.needs_input_grad[1]:
            # quantized - values is step * (round(v/s) - v/s): nothing is divided before the sum is taken.
            error = inside.mul_(values).neg_().add_(quantized).mul_(gradients[0])
            step_gradient = error.sum_to_size(step.shape) / step * ctx.gradient_scale
        return values_gradient, step_gradient, None, None, None, None


def fake_quantize(
    values: Tensor,
    step: Tensor,
    low: int,
    high: int,
    gradient_scale: Tensor | float,
    nearest: Rounding | None = None,
) -> Tensor:
    """``step * clip(round(values / step), low, high)`` with the LSQ gradients.

    The gradient to a value is 1 on the closed interval ``low*step .. high*step`` and 0 outside. The gradient to the
    step is ``round(v/s) - v/s`` inside, `low` below and `high` above, summed and multiplied by `gradient_scale`.
    Ties round to even. The paper leaves the end points open; here they are inside, so that weights that were put on
    the grid (by an import or a reconstruction) can still be trained.

    Args:
        values: any shape.
        step: positive, of a shape that broadcasts to `values` with the same number of axes, or a scalar.
        low: lowest code.
        high: highest code.
        gradient_scale: factor on the step's gradient, a number or of the step's shape.
        nearest: to codes that leave some of these integers out, in place of rounding and clipping; the gradients are
            those above with `round` and the clipping replaced by it.

    """
    return _FakeQuantize.apply(values, step, low, high, gradient_scale, nearest)  # type: ignore[no-untyped-call]
