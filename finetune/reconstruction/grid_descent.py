"""Coordinate descent on integer codes: after rounding, each weight in turn gets the code with the least error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disparsity.finetune.reconstruction.normal_equations import NormalEquations, damping

_SWEEPS = 8

Row = npt.NDArray[np.float64]
Nearest = Callable[[float], int]


def descend_on_grid(
    equations: NormalEquations,
    rounded: Tensor,
    values: Tensor,
    mask: Tensor,
    steps: Tensor,
    nearest: Nearest,
    ridge: float,
) -> Tensor:
    """Codes with no larger squared output error than `rounded` and than rounding `values` to the nearest codes.

    Rounding one weight after the other leaves the last ones to make up for all errors before them, which a coarse grid
    cuts off. Descent starts from the better of the two roundings and takes, weight by weight, the code that minimises
    the error with all others fixed, the bias last, until nothing changes or 8 times.

    Interpretation: coordinate descent on the objective of Optimal Brain Quantization (Frantar and Alistarh, NeurIPS
    2022), whose sequence it follows.

    Args:
        equations: moments.
        rounded: ``[C_out, K + 1]`` codes times steps, the bias last.
        values: ``[C_out, K + 1]`` the solution before rounding, by `solve_masked` with the same ridge.
        mask: ``[C_out, K + 1]`` bool, which of them may be non-zero.
        steps: ``[C_out]`` of the grids.
        nearest: the code of a weight that was divided by its step.
        ridge: pull towards the old values, which `values` contains.

    Returns:
        ``[C_out, K + 1]`` float64: codes times steps, the bias last.

    """
    strength = damping(equations, ridge)
    result = rounded.clone()
    for index in range(len(rounded)):
        live = mask[index].nonzero().squeeze(1)
        weights = int((live < rounded.shape[1] - 1).sum())
        if weights == 0:
            continue
        matrix = equations.gram[live][:, live].cpu().numpy() + strength * np.eye(len(live))
        best, step = values[index, live].double().cpu().numpy(), float(steps[index])
        plain = _with_best_bias(matrix, best, _to_nearest(best, step, nearest, weights), weights)
        found = min((rounded[index, live].double().cpu().numpy(), plain), key=lambda row: _error(matrix, row - best))
        descended = _descend(matrix, best, found, step, nearest, weights)
        result[index, live] = torch.from_numpy(descended).to(result.device)
    return result


def _to_nearest(values: Row, step: float, nearest: Nearest, weights: int) -> Row:
    row = values.copy()
    row[:weights] = [step * nearest(value / step) for value in values[:weights].tolist()]
    return row


def _with_best_bias(matrix: Row, best: Row, row: Row, weights: int) -> Row:
    if weights < len(row):
        row[weights] -= float(matrix[weights] @ (row - best)) / matrix[weights, weights]
    return row


def _descend(matrix: Row, best: Row, start: Row, step: float, nearest: Nearest, weights: int) -> Row:
    row = start.copy()
    slope = matrix @ (row - best)
    for _ in range(_SWEEPS):
        changed = False
        for place in range(weights):
            wanted = step * nearest((row[place] - slope[place] / matrix[place, place]) / step)
            if abs(wanted - row[place]) > 0.5 * step:
                slope += matrix[place] * (wanted - row[place])
                row[place] = wanted
                changed = True
        if not changed:
            break
        row = _with_best_bias(matrix, best, row, weights)
        slope = matrix @ (row - best)
    return row


def _error(matrix: Row, difference: Row) -> float:
    return float(difference @ matrix @ difference)
