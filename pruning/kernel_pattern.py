"""Pattern `kernel`: the k x k slice between an input and an output channel is kept or removed whole."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def slice_scores(scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every weight with the mean score of its slice, so that all weights of a slice tie.

    Negative scores mark weights that are out of the competition; a slice of which any weight competes does so with the
    others counted as zero. Interpretation: the mean, not the sum, because the sparsity target counts weights.
    """
    return {name: _means(score.detach().float()) for name, score in scores.items()}


def whole_slices(masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The masks without the slices that are kept in part."""
    return {name: _whole(mask) for name, mask in masks.items()}


def _means(score: Tensor) -> Tensor:
    if score.dim() < 3:
        return score
    slices = score.flatten(2)
    live = slices.clamp(min=0).mean(2)
    means = torch.where((slices >= 0).any(2), live, slices.mean(2))
    return means[..., None].expand(slices.shape).reshape(score.shape)


def _whole(mask: Tensor) -> Tensor:
    if mask.dim() < 3:
        return mask
    return mask.flatten(2).all(2).view(*mask.shape[:2], *[1] * (mask.dim() - 2)).expand(mask.shape).clone()
