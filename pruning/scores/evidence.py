"""Evidence of scores: layers that no gradient or path has reached have no score, and are never ranked.

A layer without a score is marked by scores of minus infinity, which no formula gives: zero would rank it last.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from disparsity.base.errors import InputError


def no_evidence(weight: Tensor) -> Tensor:
    """The mark of a layer without a score, in its weight's shape, float32."""
    return torch.full_like(weight, float("-inf"), dtype=torch.float32)


def has_evidence(score: Tensor) -> bool:
    """Whether a layer's scores are scores, and not the mark of a layer without any."""
    return not bool(torch.isneginf(score).all())


def with_evidence(scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The layers that have a score.

    Raises:
        InputError: no layer has one, or all scores are zero, so that position alone would decide.

    """
    found = {name: score for name, score in scores.items() if has_evidence(score)}
    if not any(bool(score.any()) for score in found.values()):
        raise InputError(
            "no weight has a score",
            found="gradients that are all zero" if found else "no gradient in any layer",
            expected="pairs with a usable label or a teacher, and layers that are trained",
            remedy="check the labels' range and the maximum disparity; `requires_grad` must be true",
        )
    return found
