"""Geometric augmentation with matching ground truth: other scales, views swapped and mirrored, rows shifted."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from disparsity.datasets.sample import Sample

_SAME_SURFACE_PX = 1.0
"""Neighbours whose disparities differ by less lie on one surface, and between them disparity is interpolated."""


def resize(sample: Sample, height: int, width: int) -> Sample:
    """Both views and the ground truth at another size; disparity grows with the width."""
    factor = width / sample.disparity.shape[1]
    known = sample.disparity[None, None]
    nearest = F.interpolate(known, (height, width), mode="nearest-exact")[0, 0]
    smooth = F.interpolate(known, (height, width), mode="bilinear", align_corners=False)[0, 0]
    valid = F.interpolate(sample.valid[None, None].float(), (height, width), mode="nearest-exact")[0, 0] > 0
    share = F.interpolate(sample.valid[None, None].float(), (height, width), mode="bilinear", align_corners=False)[0, 0]
    inner = (share > 1 - 1e-6) & ((smooth - nearest).abs() < _SAME_SURFACE_PX / 2)
    disparity = torch.where(inner, smooth, nearest) * factor
    left, right = (_resize_view(view, height, width) for view in (sample.left, sample.right))
    return replace(sample, left=left, right=right, disparity=disparity * valid, valid=valid)


def mirror(sample: Sample) -> Sample:
    """Swap and mirror the views: the mirrored right view becomes the left one, with the right view's disparity."""
    disparity = right_disparity(sample.disparity, sample.valid).flip(-1)
    return replace(
        sample, left=sample.right.flip(-1), right=sample.left.flip(-1), disparity=disparity, valid=disparity > 0
    )


def right_disparity(disparity: Tensor, valid: Tensor) -> Tensor:
    """Disparity ``[H, W]`` of the right view, 0 where the left view does not determine it.

    Left neighbours on one surface project to two places of the right row; the columns between them take the
    interpolated disparity, the nearest surface winning. Exact for planes. Interpretation.
    """
    near, far = disparity[:, :-1], disparity[:, 1:]
    joined = valid[:, :-1] & valid[:, 1:] & ((far - near).abs() < _SAME_SURFACE_PX)
    start = torch.arange(near.shape[1]) - near
    span = 1 - (far - near)
    found = torch.zeros_like(disparity)
    for step in (0, 1):
        column = start.ceil() + step
        share = (column - start) / span
        inside = joined & (share <= 1) & (column >= 0) & (column < disparity.shape[1])
        value = torch.where(inside, near + share * (far - near), 0.0)
        found.scatter_reduce_(1, torch.where(inside, column, 0).long(), value, "amax")
    return found


def shift_rows(view: Tensor, rows: float) -> Tensor:
    """``[3, H, W]`` moved down by `rows` pixels, linear between rows, the border rows repeated."""
    places = (torch.arange(view.shape[1], dtype=torch.float32) - rows).clamp(0, view.shape[1] - 1)
    above = places.floor().long()
    share = (places - above)[:, None]
    return view[:, above] * (1 - share) + view[:, (above + 1).clamp(max=view.shape[1] - 1)] * share


def _resize_view(view: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(view[None], (height, width), mode="bilinear", align_corners=False, antialias=True)[0]
