"""Pattern N:M: of every M neighbouring input channels at most N weights are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.layers import TRANSPOSED

_LAST = torch.finfo(torch.float32).min
"""Below every score of a weight that may be kept, and finite as scores are."""


class GroupLaw:
    """At most N of M neighbouring weights along the fan-in's channels, each kernel position for itself.

    Source: the 2:4 sparsity of NVIDIA's Ampere (Mishra et al., 2021, "Accelerating Sparse Deep Neural Networks") for
    matrices. Interpretation: convolutions are grouped along their input channels, as the channels-last matrix of a
    convolution is; where M does not divide the input channels, the last group is padded with zeros, so that of its r
    weights ``min(N, r)`` may be kept.

    Args:
        kept: N.
        of: M.
        layers: by name; they tell where a weight's input channels are.

    """

    def __init__(self, kept: int, of: int, layers: Mapping[str, nn.Module]) -> None:
        self.kept = kept
        self.of = of
        self._groups = {n: layer.groups if isinstance(layer, TRANSPOSED) else None for n, layer in layers.items()}

    def kept_at(self, density: float) -> int:
        """The weights of a group that may be kept on the way to a density: N, more while the density is above N/M."""
        return max(self.kept, math.ceil(density * self.of - 1e-9))

    def allowed(self, scores: Mapping[str, Tensor], kept: int) -> dict[str, Tensor]:
        """The `kept` highest of every group, bool in the scores' shapes; of equal scores the first channels win."""
        return {name: self._layer(name, score, kept) for name, score in scores.items()}

    def _layer(self, name: str, score: Tensor, kept: int) -> Tensor:
        groups = self._groups[name]
        # before the input channels, input channels, after them
        split = (score.shape[0], score.shape[1], -1) if groups is None else (groups, score.shape[0] // groups, -1)
        return best_of_groups(score.detach().float().reshape(split), kept, self.of).reshape(score.shape)


def best_of_groups(values: Tensor, kept: int, of: int) -> Tensor:
    """True at the `kept` highest of every `of` neighbours along the middle axis of ``[A, C, B]``."""
    padding = -values.shape[1] % of
    padded = F.pad(values, (0, 0, 0, padding), value=_LAST)
    grouped = padded.view(values.shape[0], -1, of, values.shape[2])
    order = torch.sort(grouped, dim=2, descending=True, stable=True).indices
    best = torch.zeros_like(grouped, dtype=torch.bool).scatter_(2, order[:, :, :kept], value=True)
    return best.view(padded.shape)[:, : values.shape[1]]


def without(scores: Mapping[str, Tensor], allowed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The scores, with those that are not allowed behind all others."""
    return {name: torch.where(allowed[name], score, _LAST) for name, score in scores.items()}
