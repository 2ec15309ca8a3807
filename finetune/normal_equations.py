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


@dataclass(frozen=True)
class Solution:
    """What least squares says about a layer.

    Attributes:
        values: ``[C_out, K + 1]`` float64 weights, the bias last; exactly zero where the mask is false.
        saliency: ``[C_out, K]`` float64: by how much the squared output error grows when the weight is removed and
            the other weights of its filter are solved again; zero where the mask is false.

    """

    values: Tensor
    saliency: Tensor


def solve_masked(equations: NormalEquations, old: Tensor, mask: Tensor, ridge: float) -> Solution:
    """The weights and biases that minimise the squared error plus the pull towards the old values.

    With ``A`` the filter's normal matrix over its surviving weights, removing weight i and solving again costs
    ``w_i^2 / (2 [A^-1]_ii)``. Source: Optimal Brain Surgeon (Hassibi and Stork, NeurIPS 1992), equation 5.

    Args:
        equations: moments.
        old: ``[C_out, K + 1]`` current values, the bias last.
        mask: ``[C_out, K + 1]`` bool, which of them may be non-zero.
        ridge: pull towards `old`, relative to the mean diagonal of the weights' moments.

    """
    strength = ridge * float(equations.gram.diagonal()[:-1].mean()) + torch.finfo(torch.float32).tiny
    values = torch.zeros_like(old, dtype=torch.float64)
    saliency = torch.zeros_like(values)
    whole = _inverse(equations.gram, strength) if bool(mask.all()) else None
    for index in range(old.shape[0]):
        live = mask[index].nonzero().squeeze(1)
        if live.numel() == 0:
            continue
        inverse = whole if whole is not None else _inverse(equations.gram[live][:, live], strength)
        solved = inverse @ (equations.cross[live, index] + strength * old[index, live].double())
        values[index, live] = solved
        saliency[index, live] = 0.5 * solved.square() / inverse.diagonal()
    return Solution(values, saliency[:, :-1])


def _inverse(matrix: Tensor, strength: float) -> Tensor:
    damped = matrix.clone()
    damped.diagonal().add_(strength)
    return torch.cholesky_inverse(torch.linalg.cholesky(damped))
