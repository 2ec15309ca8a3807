"""Weights as wires: what a network costs whose constant weights are built in as shifts and adds.

A constant is multiplied by as many shifted copies as its canonical signed form has digits; shifts cost nothing.
Source: Avizienis, Signed-digit number representations, IRE 1961; the form has ``popcount(n xor 3n)`` digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from disparsity.hwcost.formats.bitstream import Codes
from disparsity.hwcost.models.operations import csd_adders


@dataclass(frozen=True, kw_only=True)
class ShiftAdds:
    """One output position of a layer, fully unrolled.

    Attributes:
        multiplier_adders: inside the constant multipliers.
        sum_adders: that add the products of a filter: one fewer than it has weights.
        shifts: products that are a shifted input and nothing more (powers of two, 1 and -1 aside).
        shift_only_share: share of the non-zero weights that need no adder of their own, 0..1.

    """

    multiplier_adders: int
    sum_adders: int
    shifts: int
    shift_only_share: float

    @property
    def adders(self) -> int:
        """All adders."""
        return self.multiplier_adders + self.sum_adders


def shift_adds(codes: Codes) -> ShiftAdds:
    """The cost of ``[filters, the rest]`` integer weights; ternary and power-of-two weights need sum adders only."""
    nonzero = codes != 0
    alive = codes[nonzero]
    adders = csd_adders(alive)
    return ShiftAdds(
        multiplier_adders=int(adders.sum()),
        sum_adders=int(np.maximum(nonzero.sum(axis=1) - 1, 0).sum()),
        shifts=int(((adders == 0) & (np.abs(alive) > 1)).sum()),
        shift_only_share=float((adders == 0).mean()) if alive.size else 1.0,
    )
