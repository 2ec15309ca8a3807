"""Exact top-k threshold of vectors that are too long to sort."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_CHUNK = 1 << 18
"""Values treated at once: few enough that what is computed from them stays in a processor's cache."""

_HALF = 16
_BINS = 1 << _HALF


def keep_top_by_histogram(vectors: Sequence[Tensor], count: int, chunk: int = _CHUNK) -> list[Tensor]:
    """Bool masks of exactly `count` highest values of all vectors together; of equal values the first positions win.

    The bits of a float32, read as an integer, are in the order of the values. One histogram over their upper and one
    over their lower half (of the values that share the threshold's upper half) give the threshold to the last bit:
    three passes, no sort, memory beside the vectors for the masks alone.

    Args:
        vectors: ``[n_i]`` float32 without NaN.
        count: 0 to the sum of all n_i.
        chunk: values treated at once.

    """
    pieces = [piece for vector in vectors for piece in torch.split(vector, chunk)]
    empty = torch.zeros(_BINS, dtype=torch.int64, device=vectors[0].device)
    upper, missing = _from_above(sum((_histogram(_keys(piece) >> _HALF) for piece in pieces), empty), count)
    lower, ties = _from_above(sum((_histogram(_within(piece, upper)) for piece in pieces), empty), missing)
    threshold = (upper << _HALF) + lower + _BINS // 2
    masks = [torch.empty(vector.numel(), dtype=torch.bool, device=vector.device) for vector in vectors]
    parts = (part for mask in masks for part in torch.split(mask, chunk))
    for piece, part in zip(pieces, parts, strict=True):
        keys = _keys(piece)
        torch.gt(keys, threshold, out=part)
        if ties:
            equal = (keys == threshold).nonzero().squeeze(1)[:ties]
            part[equal] = True
            ties -= equal.numel()
    return masks


def _keys(values: Tensor) -> Tensor:
    """Integers (int32) in the order of the values; both zeros are one."""
    bits = (values + 0.0).view(torch.int32)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def _within(piece: Tensor, upper: int) -> Tensor:
    """The lower halves, centred, of the keys with this upper half."""
    keys = _keys(piece)
    return (keys[keys >> _HALF == upper] & (_BINS - 1)) - _BINS // 2


def _histogram(halves: Tensor) -> Tensor:
    return torch.bincount(halves + _BINS // 2, minlength=_BINS)


def _from_above(histogram: Tensor, count: int) -> tuple[int, int]:
    """The bin (centred) in which the `count` highest end, and how many of them lie in it."""
    above = histogram.flip(0).cumsum(0)
    place = min(int(torch.searchsorted(above, count)), _BINS - 1)
    before = int(above[place - 1]) if place else 0
    return _BINS - 1 - place - _BINS // 2, count - before
