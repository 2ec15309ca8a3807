"""Spatial propagation: a map that is swept from left to right by a learned linear recurrence.

Source: Liu et al., Learning affinity via spatial propagation networks, NeurIPS 2017, with three neighbours per pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_TINY = 1e-8


def bounded_gates(raw: Tensor) -> Tensor:
    """Gates ``[B, 3C, H, W]`` whose absolute values over the three neighbours sum to 1, so that the sweep is stable."""
    parts = raw.view(raw.shape[0], 3, -1, *raw.shape[2:])
    return (parts / (parts.abs().sum(1, keepdim=True) + _TINY)).flatten(1, 2)


def propagate(values: Tensor, gates: Tensor) -> Tensor:
    """Mix every column with the three nearest results in the column to its left.

    ``h(y, x) = (1 - sum g_k) v(y, x) + sum g_k h(y + k, x - 1)`` for k = -1, 0, 1; a gate whose neighbour lies outside
    of the map counts as zero.

    Args:
        values: ``[B, C, H, W]``.
        gates: ``[B, 3C, H, W]``, all gates of k = -1 first, then those of 0, then those of 1.

    """
    upper, same, lower = gates.chunk(3, dim=1)
    upper, lower = F.pad(upper[..., 1:, :], (0, 0, 1, 0)), F.pad(lower[..., :-1, :], (0, 0, 0, 1))
    own = (1.0 - upper - same - lower) * values
    columns = [values[..., 0]]
    for x in range(1, values.shape[-1]):
        above, below = F.pad(columns[-1][..., :-1], (1, 0)), F.pad(columns[-1][..., 1:], (0, 1))
        mixed = upper[..., x] * above + same[..., x] * columns[-1] + lower[..., x] * below
        columns.append(own[..., x] + mixed)
    return torch.stack(columns, dim=-1)
