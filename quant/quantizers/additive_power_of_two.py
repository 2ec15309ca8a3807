"""Additive powers of two: a weight is a sum of a few powers of two times a step, so a product is shifts and additions.

Every `term_bits` of the ``bits - 1`` that a size has choose one power of two, or none. Source: Li, Dong and Wang,
Additive Powers-of-Two Quantization, ICLR 2020, equations 5 (levels) and 7 (the gradient of the clipping, which is that
of `lsq`). Interpretation: steps per output channel; the paper has one per layer and normalises the weights first.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.quantizers.grid import GridWeight, fitted_steps
from disparsity.quant.quantizers.settings import AdditivePowerOfTwoSettings


class AdditivePowerOfTwoWeight(GridWeight):
    """Sums of powers of two with learned steps."""

    kind = "additive_power_of_two"

    def settings(self) -> dict[str, Any]:
        """What its structure depends on, by the names that checkpoints use."""
        return {**super().settings(), "term_bits": self.levels.term_bits}


def additive_power_of_two_weight(
    weight: Tensor, bits: int, axis: int, settings: AdditivePowerOfTwoSettings, fitted: bool = True
) -> AdditivePowerOfTwoWeight:
    """A weight quantizer whose steps fit the non-zero values of `weight`.

    Raises:
        InputError: codes of so many bits would not fit 16 bits, or a weight is not finite.

    """
    levels = Levels(bits, settings.term_bits)
    steps, group = fitted_steps(weight, levels, axis, settings, fitted)
    return AdditivePowerOfTwoWeight(steps, levels=levels, axis=axis, channels=weight.shape[axis], group=group)
