"""Rates of a transformed weight: bits per row by the slope of the distortion, steps as powers of two.

Source: Young et al., TPAMI 2021, algorithms 1 and 2: steps from a grid of powers of two, and for every row the bits
that minimise ``D_k(R) + lambda N R``, where 0 bits prune the row. Interpretation: ``D_k`` is the squared error of the
row times its sensitivity, for each row separately; the source measures it on the network, which `fitting` does for the
steps afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.quant.grids.levels import Levels

MOST_BITS = 8
_CANDIDATES = 12
_BISECTIONS = 60
_LOWEST_EXPONENT = -20
"""The smallest step of this package is 2^-20."""


@dataclass(frozen=True)
class RowGrids:
    """Grids of the rows.

    Attributes:
        bits: ``[n]`` int64, 0..8.
        exponents: ``[n]`` int64, the steps' binary logarithms; 0 of a row without bits.

    """

    bits: Tensor
    exponents: Tensor

    def codes(self, rows: Tensor) -> Tensor:
        """The integers ``[n, N]`` nearest to ``rows / step``; 0 in rows without bits."""
        result = torch.zeros_like(rows)
        for bits in range(1, MOST_BITS + 1):
            chosen = self.bits == bits
            if chosen.any():
                result[chosen] = Levels(bits).nearest(torch.ldexp(rows[chosen], -self.exponents[chosen, None]))
        return result


def choose_grids(rows: Tensor, sensitivities: Tensor, average_bits: float) -> RowGrids:
    """The grids of ``[n, N]`` rows with at most `average_bits` bits per weight on average.

    Args:
        rows: the transformed weight.
        sensitivities: ``[n]``, what a squared error in each row costs.
        average_bits: 1..8.

    """
    errors, exponents = _curves(rows)
    distortions = errors * sensitivities.to(errors.dtype)
    bits = _least(distortions, _slope_for(distortions, average_bits))
    bits = bits.masked_fill(~rows.any(dim=1), 0)
    chosen = exponents[bits, torch.arange(len(rows), device=rows.device)]
    return RowGrids(bits, torch.where(bits > 0, chosen, 0))


def best_exponents(rows: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Per row, the power-of-two step with the least squared error at this width: its exponent, and that error."""
    levels = Levels(bits)
    top = torch.frexp(rows.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / levels.high).exponent.long()
    best, error = top, rows.new_full((len(rows),), torch.inf)
    for lower in range(_CANDIDATES):
        exponents = (top - lower).clamp(min=_LOWEST_EXPONENT)
        codes = levels.nearest(torch.ldexp(rows, -exponents[:, None]))
        found = (torch.ldexp(codes, exponents[:, None]) - rows).square().sum(dim=1)
        best, error = torch.where(found < error, exponents, best), torch.minimum(found, error)
    return best, error


def _curves(rows: Tensor) -> tuple[Tensor, Tensor]:
    """``[9, n]``: squared errors and exponents for 0..8 bits."""
    found = [best_exponents(rows, bits) for bits in range(1, MOST_BITS + 1)]
    errors = torch.stack([rows.square().sum(dim=1), *(error for _, error in found)])
    exponents = torch.stack([torch.zeros_like(found[0][0]), *(exponent for exponent, _ in found)])
    return errors, exponents


def _least(distortions: Tensor, slope: float) -> Tensor:
    """Per row, the bits with the least ``D + slope * bits``."""
    widths = torch.arange(len(distortions), dtype=distortions.dtype, device=distortions.device)
    return (distortions + slope * widths[:, None]).argmin(dim=0)


def _slope_for(distortions: Tensor, average_bits: float) -> float:
    """The smallest slope found by bisection, in the logarithm, whose bits keep to the average."""
    largest = float(distortions.max())
    if not largest or float(_least(distortions, 0.0).double().mean()) <= average_bits:
        return 0.0
    low, high = 1e-12 * largest, 2 * largest
    for _ in range(_BISECTIONS):
        middle = (low * high) ** 0.5
        if float(_least(distortions, middle).double().mean()) <= average_bits:
            high = middle
        else:
            low = middle
    return high
