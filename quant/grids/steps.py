"""Step sizes: positive by construction, and rounded to float16 in the forward pass.

A step is trained as its natural logarithm: it can never become negative or zero, and a learning rate is a relative
change of the step, the same for a layer of large and of small weights. With Adam every update moves the logarithm by
about the learning rate, so 1e-3 changes a step by 0.1 % per update and no step collapses or explodes in one update.
Weight decay must be zero for these parameters: it would pull every step towards 1.

The forward pass always uses the float16 value next to the trained step (straight-through gradient), so that integer
codes times the stored float16 steps are bit-identical to the weights that were trained and evaluated.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from disparsity.base.errors import InputError

MIN_STEP = 2.0**-20
"""Smallest step. Subnormal in float16, where 5 significant bits are left: the codes are chosen for the rounded step, so
the coarse value costs no exactness; below, the grid of possible steps becomes too coarse and steps are clamped."""
MAX_STEP = 65504.0
"""Largest float16 value."""


class _Float16Step(torch.autograd.Function):
    """From ``log(step)`` to the float16 step as float32; gradient of the exponential, straight through the rounding."""

    @staticmethod
    def forward(ctx: Any, log_step: Tensor) -> Tensor:
        step = to_float16(log_step.exp()).to(log_step.dtype)
        ctx.save_for_backward(step)
        return step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (step,) = ctx.saved_tensors
        return gradients[0] * step


def step_from_log(log_step: Tensor) -> Tensor:
    """The step that the forward pass uses: a float16 value in `log_step`'s type, in MIN_STEP .. MAX_STEP."""
    return _Float16Step.apply(log_step)  # type: ignore[no-untyped-call]


def log_of_step(step: Tensor) -> Tensor:
    """The parameter from which `step_from_log` gives back `step` rounded to float16.

    The exponential of the logarithm is off by a few float32 ulps, a thousandth of the distance to the next float16
    value, so the rounding returns the very same step on every machine.

    Raises:
        InputError: a step is not finite and positive.

    """
    if not bool((torch.isfinite(step) & (step > 0)).all()):
        raise InputError("quantizer steps must be finite and positive", found=f"{float(step.min()):g}")
    return to_float16(step).float().log()


def to_float16(step: Tensor) -> Tensor:
    """Steps as float16, clamped to MIN_STEP .. MAX_STEP."""
    return step.clamp(MIN_STEP, MAX_STEP).half()
