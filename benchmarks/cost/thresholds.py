"""The highest of 2 x 10^8 scores: the histogram's threshold against selection and sorting by torch and NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cost.clock import load, peak_mb, timed
from disparsity.pruning.threshold import keep_top_by_histogram

VALUES, COUNT, REPEATS = 200_000_000, 6_000_000, 3


def _histogram(scores: Tensor) -> Tensor:
    return keep_top_by_histogram([scores], COUNT)[0]


def _kthvalue(scores: Tensor) -> Tensor:
    return scores >= torch.kthvalue(scores, VALUES - COUNT + 1).values


def _partition(scores: Tensor) -> Tensor:
    return scores >= float(np.partition(scores.numpy(), VALUES - COUNT)[VALUES - COUNT])


def _sort(scores: Tensor) -> Tensor:
    kept = torch.zeros(VALUES, dtype=torch.bool)
    kept[torch.sort(scores, descending=True, stable=True).indices[:COUNT]] = True
    return kept


WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "disparsity": _histogram,
    "torch.kthvalue": _kthvalue,
    "numpy.partition": _partition,
    "torch.sort, stable": _sort,
}


def measure(way: str) -> dict[str, Any]:
    """Times and memory of one way in this process, and what it kept."""
    scores = _taylor_like()
    before = peak_mb()
    first = load()
    taken = []
    for _ in range(REPEATS):
        kept = torch.empty(0)  # the last round's mask is no part of this round's peak
        one, kept = timed(lambda: WAYS[way](scores))
        taken.append(one)
    peak = peak_mb()
    return {
        "taken": [vars(one) for one in taken],
        "beside_mb": peak - before,
        "load": (first, load()),
        "kept": int(torch.count_nonzero(kept)),
        "threshold": float(scores[kept].min()).hex(),
        "digest": hashlib.sha256(kept.numpy().data).hexdigest(),
    }


def _taylor_like() -> Tensor:
    """Squares of products of two normal variables, many decades wide; made in pieces, so that the peak is theirs."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.empty(VALUES)
    for piece in scores.split(1 << 20):
        other = torch.empty_like(piece).normal_(generator=generator)
        piece.normal_(generator=generator).mul_(other).square_()
    return scores
