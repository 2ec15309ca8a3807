"""Learned step size quantization: symmetric weights and unsigned or offset activations, steps trained with the weights.

Source: Esser et al., Learned Step Size Quantization, ICLR 2020. Interpretation: counts are of non-zero weights (pruned
weights say nothing about the step), and steps are trained as logarithms (see `steps`). The offset of activations is
that of LSQ+ (Bhalgat et al., CVPR workshops 2020), as a whole number of steps that the calibration chooses and training
leaves alone, so that 0 stays exactly 0.
"""

from __future__ import annotations

from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.quantizers.grid import GridActivation, GridWeight, fitted_steps
from disparsity.quant.quantizers.settings import LSQSettings


class LsqWeight(GridWeight):
    """A uniform grid with learned steps; 2 bits are ternary, 1 bit is a sign."""

    kind = "lsq"


class LsqActivation(GridActivation):
    """A uniform grid with a learned step."""

    kind = "lsq"


def lsq_weight(weight: Tensor, bits: int, axis: int, settings: LSQSettings, fitted: bool = True) -> LsqWeight:
    """A weight quantizer whose steps fit the non-zero values of `weight`.

    Raises:
        InputError: a weight is not finite.

    """
    levels = Levels(bits)
    steps, group = fitted_steps(weight, levels, axis, settings, fitted)
    return LsqWeight(steps, levels=levels, axis=axis, channels=weight.shape[axis], group=group)


def lsq_activation(bits: int, low: int | None) -> LsqActivation:
    """An activation quantizer that waits for its calibration."""
    return LsqActivation(bits=bits, low=low)
