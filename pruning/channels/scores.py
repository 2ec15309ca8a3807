"""Channel scores: the mean score of the weights of a unit of coupled channels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from disparsity.pruning.channels.layout import Layout

_REMOVED = -1.0


def unit_scores(layouts: Mapping[str, Layout], scores: Mapping[str, Tensor], units: int) -> Tensor:
    """The mean score of the weights that go with a unit: those that make its channels and those that read them.

    A weight between two channels of one unit counts once. Scores of BatchNorm's scales, where they are given, count as
    weights of their own. Negative scores mark weights that are removed already; they do not count.
    Source of scoring everything that is coupled together: Fang et al., DepGraph, CVPR 2023. Interpretation: the
    mean instead of the sum, because the sparsity target counts weights.

    Args:
        layouts: of the layers.
        scores: by layer, in the weight's shape, higher is more important; layers without scores do not count.
        units: how many there are.

    Returns:
        ``[units]`` float64; -1 for units of which every weight is removed.

    """
    total, count = (torch.zeros(units + 1, dtype=torch.float64) for _ in range(2))
    for name, score in scores.items():
        layout = layouts[name]
        values = score.detach().double().cpu()
        _add(total, layout, values.clamp(min=0))
        _add(count, layout, (values >= 0).double())
    mean = torch.where(count > 0, total / count.clamp(min=1), _REMOVED)
    return mean[:units]


def _add(sums: Tensor, layout: Layout, values: Tensor) -> None:
    """Add a weight's values to the units of its rows and columns; the last place of `sums` is for kept channels."""
    if layout.columns is None:
        sums.index_add_(0, _place(layout.rows, sums), values.flatten(1).sum(1) if values.dim() > 1 else values)
        return
    matrix = values.flatten(2).sum(2) if values.dim() > 2 else values
    both = matrix * (layout.rows[:, None] == layout.columns[None, :])
    sums.index_add_(0, _place(layout.rows, sums), (matrix - both).sum(1))
    sums.index_add_(0, _place(layout.columns, sums), matrix.sum(0))


def _place(units: Tensor, sums: Tensor) -> Tensor:
    return torch.where(units < 0, len(sums) - 1, units)
