"""Powers of two: a weight is a power of two times a step, so a product is a shift.

The levels are 0 and ``± 2^k`` with k from 0 to ``2^(bits-1) - 2``; rounding is to the nearest level. Source: Zhou et
al., Incremental Network Quantization, ICLR 2017 (the levels), and Li, Dong and Wang, ICLR 2020 (the learned clipping).
Interpretation: a step per output channel, trained as in `lsq`, instead of a scale that is itself a power of two.
"""

from __future__ import annotations

from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.quantizers.grid import GridWeight, fitted_steps
from disparsity.quant.quantizers.settings import PowerOfTwoSettings


class PowerOfTwoWeight(GridWeight):
    """Powers of two with learned steps."""

    kind = "power_of_two"


def power_of_two_weight(
    weight: Tensor, bits: int, axis: int, settings: PowerOfTwoSettings, fitted: bool = True
) -> PowerOfTwoWeight:
    """A weight quantizer whose steps fit the non-zero values of `weight`; 2 to 5 bits.

    Raises:
        InputError: more bits, a weight is not finite.

    """
    levels = Levels(bits, term_bits=max(1, bits - 1))
    steps, group = fitted_steps(weight, levels, axis, settings, fitted)
    return PowerOfTwoWeight(steps, levels=levels, axis=axis, channels=weight.shape[axis], group=group)
