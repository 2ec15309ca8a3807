"""Disparity regression: from a cost volume to disparity."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DisparityRegression(nn.Module):
    """What turns a cost volume into disparity by an expectation, and so holds a distribution over disparities.

    Attributes:
        relative: the volume's planes are steps from an estimate of the network's own, not disparities.

    """

    workload_kind = "soft_argmin"
    relative = False

    def similarity(self, volume: Tensor) -> Tensor:
        """``[B, D, h, w]`` of which the softmax over D is the distribution, from what `forward` is given first."""
        raise NotImplementedError


class SoftArgmin(DisparityRegression):
    """Expected disparity index under softmax of the negated cost.

    Source: GC-Net (Kendall et al., ICCV 2017), equation 1. Always in float32: quantizing it makes checkerboards.

    Args:
        relative: the planes are steps from an estimate.

    """

    def __init__(self, *, relative: bool = False) -> None:
        super().__init__()
        self.relative = relative

    def similarity(self, volume: Tensor) -> Tensor:
        """The negated cost ``[B, D, H, W]``."""
        return -volume

    def forward(self, cost: Tensor) -> Tensor:
        """From cost ``[B, D, H, W]`` to the expected index ``[B, H, W]`` in 0..D-1."""
        return expected_index(self.similarity(cost))


class UpsampledSoftArgmax(DisparityRegression):
    """Trilinear up-sampling of a similarity volume to full size, then the expected disparity under its softmax.

    The volume is a similarity (softmax of +x), not a cost (softmax of -x): published weights of PSMNet and GwcNet are
    right for this sign only. Source: PSMNet (Chang and Chen, CVPR 2018), section 3.5, and the code of both networks.

    Args:
        max_disparity: D of the full-size volume.
        align_corners: of the trilinear interpolation.

    """

    def __init__(self, max_disparity: int, *, align_corners: bool) -> None:
        super().__init__()
        self.max_disparity = max_disparity
        self.align_corners = align_corners

    def similarity(self, volume: Tensor) -> Tensor:
        """The volume ``[B, 1, d, h, w]`` as it is, before the up-sampling."""
        return volume.squeeze(1)

    def forward(self, similarity: Tensor, like: Tensor) -> Tensor:
        """From ``[B, 1, d, h, w]`` to disparity ``[B, H, W]`` in pixels, H and W those of `like`."""
        size = (self.max_disparity, *like.shape[-2:])
        full = F.interpolate(similarity.float(), size=size, mode="trilinear", align_corners=self.align_corners)
        return expected_index(full.squeeze(1))


def expected_index(similarity: Tensor) -> Tensor:
    """From ``[B, D, H, W]`` to the mean index under its softmax ``[B, H, W]``, in 0..D-1 and float32."""
    probability = torch.softmax(similarity.float(), dim=1)
    index = torch.arange(similarity.shape[1], device=similarity.device, dtype=torch.float32)
    return torch.einsum("bdhw,d->bhw", probability, index)
