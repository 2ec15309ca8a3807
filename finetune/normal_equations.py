"""Ridge least squares over the surviving weights of a layer, every filter with its own mask."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class NormalEquations:
    """Second moments of a layer's inputs and targets, a constant column for the bias included.

    Attributes:
        gram: ``[K + 1, K + 1]`` float64, X^T X with the ones column last.
        cross: ``[K + 1, C_out]`` float64, X^T Y.

    """

    gram: Tensor
    cross: Tensor


def normal_equations(inputs: Tensor, targets: Tensor) -> NormalEquations:
    """Moments of patches ``[n, K]`` and targets ``[n, C_out]``, divided by n."""
    rows = torch.cat([inputs, inputs.new_ones(inputs.shape[0], 1)], dim=1)
    count = rows.shape[0]
    return NormalEquations((rows.T @ rows / count).double(), (rows.T @ targets / count).double())


def solve_masked(equations: NormalEquations, old: Tensor, mask: Tensor, ridge: float) -> Tensor:
    """The weights and biases that minimise the squared error plus the pull towards the old values.

    Args:
        equations: moments.
        old: ``[C_out, K + 1]`` current values, the bias last.
        mask: ``[C_out, K + 1]`` bool, which of them may be non-zero.
        ridge: pull towards `old`, relative to the mean diagonal of the weights' moments.

    Returns:
        ``[C_out, K + 1]`` float64; exactly zero where the mask is false.

    """
    strength = ridge * float(equations.gram.diagonal()[:-1].mean()) + torch.finfo(torch.float32).tiny
    solution = torch.zeros_like(old, dtype=torch.float64)
    for filter_index in range(old.shape[0]):
        live = mask[filter_index].nonzero().squeeze(1)
        if live.numel() == 0:
            continue
        matrix = equations.gram[live][:, live].clone()
        matrix.diagonal().add_(strength)
        right = equations.cross[live, filter_index] + strength * old[filter_index, live].double()
        solution[filter_index, live] = torch.cholesky_solve(right[:, None], torch.linalg.cholesky(matrix)).squeeze(1)
    return solution
