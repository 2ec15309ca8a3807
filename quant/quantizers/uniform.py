"""Uniform grids with fixed steps, chosen once by min-max (`max`), `percentile` or `mse`.

Weights are symmetric, activations unsigned where they are never negative; 0 is always a code. In training the gradient
passes straight through inside of the range and is 0 outside. Source: Jacob et al., CVPR 2018 (min-max); Krishnamoorthi,
Quantizing deep convolutional networks, 2018 (per channel). Interpretation: the zero point of weights is always 0, since
a pruned weight must stay exactly 0.
"""

from __future__ import annotations

from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.quantizers.grid import GridActivation, GridWeight, fitted_steps
from disparsity.quant.quantizers.settings import UniformSettings


class UniformWeight(GridWeight):
    """A uniform grid with fixed steps."""

    kind = "uniform"


class UniformActivation(GridActivation):
    """A uniform grid with a fixed step."""

    kind = "uniform"


def uniform_weight(
    weight: Tensor, bits: int, axis: int, settings: UniformSettings, fitted: bool = True
) -> UniformWeight:
    """A weight quantizer whose steps fit the non-zero values of `weight`.

    Raises:
        InputError: a weight is not finite.

    """
    levels = Levels(bits)
    steps, group = fitted_steps(weight, levels, axis, settings, fitted)
    channels = weight.shape[axis]
    return UniformWeight(steps, levels=levels, axis=axis, channels=channels, group=group, learned=False)


def uniform_activation(bits: int, low: int | None) -> UniformActivation:
    """An activation quantizer that waits for its calibration."""
    return UniformActivation(bits=bits, low=low, learned=False)
