"""Ridge least squares over the surviving weights of a layer, every filter with its own mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.base.errors import InputError


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


def damping(equations: NormalEquations, ridge: float) -> float:
    """What the ridge adds to the diagonal of the normal matrix."""
    return ridge * float(equations.gram.diagonal()[:-1].mean()) + torch.finfo(torch.float32).tiny


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

    Raises:
        InputError: the ridge is too small for inputs that depend on each other.

    """
    strength = damping(equations, ridge)
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
    try:
        return torch.cholesky_inverse(torch.linalg.cholesky(damped))
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise InputError(
            "the least squares of a layer have no unique solution",
            found=f"{len(matrix)} unknowns",
            remedy="raise reconstruct.ridge or reconstruct.positions",
        ) from error


def round_to_grid(
    equations: NormalEquations,
    values: Tensor,
    mask: Tensor,
    steps: Tensor,
    nearest: Callable[[float], int],
    ridge: float,
) -> Tensor:
    """Put every filter's weights on its integer grid, the rest of the filter making up for each rounding.

    Weights are rounded one after the other; what a rounding changes in the output is taken up by the weights that
    are not rounded yet, and in the end by the bias, which stays in float.
    Source: Optimal Brain Quantization (Frantar and Alistarh, NeurIPS 2022) with the fixed order and the Cholesky
    factor of GPTQ (Frantar et al., ICLR 2023).

    Args:
        equations: moments, damped as in `solve_masked`.
        values: ``[C_out, K + 1]`` solved weights, the bias last.
        mask: ``[C_out, K + 1]`` bool.
        steps: ``[C_out]`` of the grids.
        nearest: the code of a weight that was divided by its step.
        ridge: as in `solve_masked`.

    Returns:
        ``[C_out, K + 1]`` float64: codes times steps, the bias last.

    """
    strength = damping(equations, ridge)
    rounded = torch.zeros_like(values)
    for index in range(values.shape[0]):
        live = mask[index].nonzero().squeeze(1)
        if live.numel() == 0:
            continue
        inverse = _inverse(equations.gram[live][:, live], strength)
        factor = torch.linalg.cholesky(inverse, upper=True).cpu().numpy()
        row = values[index, live].double().cpu().numpy().copy()
        step = float(steps[index])
        weights = len(row) - int(live[-1] == values.shape[1] - 1)
        for place in range(weights):
            code = nearest(float(row[place]) / step)
            error = (row[place] - code * step) / factor[place, place]
            row[place + 1 :] -= error * factor[place, place + 1 :]
            row[place] = code * step
        rounded[index, live] = torch.from_numpy(row).to(rounded.device)
    return rounded
