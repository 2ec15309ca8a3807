"""AnyNet (Wang et al., ICRA 2019): disparity at 1/16, then residuals at 1/8 and 1/4, then optional propagation.

Module names follow the published checkpoints. Shape legend: B batch, H and W of the padded image, D disparities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.blocks.pre_activation import pre_activation_3d
from disparsity.stereo.blocks.propagation import bounded_gates, propagate
from disparsity.stereo.blocks.unet_tower import UNetTower
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.l1 import L1Volume
from disparsity.stereo.volumes.warped import WarpedResidualVolume

_COARSEST = 16
_SCALES = 3
_INNER_LAYERS = 4
_GUIDE_WIDTH = 16
_REFINEMENT = "refine_spn"


@dataclass(frozen=True, kw_only=True)
class AnyNetSettings:
    """Sizes of an AnyNet.

    Attributes:
        width: base width c of the feature tower.
        coarse_width: channels of the volume filter at 1/16.
        fine_width: channels of the volume filters at 1/8 and 1/4.
        max_disparity: of the coarsest scale in pixels, a multiple of 16.
        radius: residual disparities -radius..radius at the two finer scales.
        propagation: channels of the spatial propagation; 0 leaves the refinement out.

    """

    width: int = 1
    coarse_width: int = 16
    fine_width: int = 4
    max_disparity: int = 192
    radius: int = 2
    propagation: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if min(self.width, self.coarse_width, self.fine_width, self.radius) < 1 or self.propagation < 0:
            raise InputError("AnyNet sizes must be positive", found=self, expected="all >= 1, propagation >= 0")
        if self.max_disparity <= 0 or self.max_disparity % _COARSEST:
            raise InputError(
                "AnyNet max_disparity must be a positive multiple of 16", found=self.max_disparity, expected="e.g. 192"
            )


class AnyNet(StereoNetwork):
    """Feature tower, then per scale: L1 volume, volume filter, soft-argmin, up-sampling."""

    def __init__(self, settings: AnyNetSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        self.feature_extraction = UNetTower(settings.width)
        self.coarse_volume = L1Volume(settings.max_disparity // _COARSEST)
        self.residual_volume = WarpedResidualVolume(settings.radius)
        widths = (settings.coarse_width, settings.fine_width, settings.fine_width)
        self.volume_postprocess = nn.ModuleList(_volume_filter(width) for width in widths)
        self.soft_argmin, self.residual_argmin = SoftArgmin(), SoftArgmin(relative=True)
        self.refine_spn = _refinement(settings.propagation) if settings.propagation else None

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Maps ``[B, H, W]`` of the three scales, and the propagated one if there is one, from normalised views."""
        maps = list(self._scales(left, right))
        if self.refine_spn is not None:
            maps.append(self._propagated(self.refine_spn, maps[-1], left))
        return tuple(disparity.squeeze(1) for disparity in maps)

    def _scales(self, left: Tensor, right: Tensor) -> Iterator[Tensor]:
        disparity = None
        for scale, (a, b) in enumerate(zip(self.feature_extraction(left), self.feature_extraction(right), strict=True)):
            ratio = left.shape[-2] / a.shape[-2]
            if disparity is None:
                cost, argmin, lowest = self.coarse_volume(a, b), self.soft_argmin, 0
            else:
                before = _resize(disparity, a).squeeze(1) / ratio
                cost, argmin = self.residual_volume(a, b, before), self.residual_argmin
                lowest = -self.residual_volume.radius
            filtered = self.volume_postprocess[scale](cost.unsqueeze(1)).squeeze(1)
            step = _resize((argmin(filtered) + lowest).unsqueeze(1) * ratio, left)
            disparity = step if disparity is None else disparity + step
            yield disparity

    @staticmethod
    def _propagated(refinement: nn.ModuleList, disparity: Tensor, left: Tensor) -> Tensor:
        quarter = (left.shape[-2] // 4, left.shape[-1] // 4)
        guide, spread, merge = refinement
        gates = bounded_gates(guide(F.interpolate(left, quarter, mode="bilinear", align_corners=False)))
        values = spread(F.interpolate(disparity, quarter, mode="bilinear", align_corners=False))
        return _resize(merge(propagate(values, gates)), left)


def _resize(values: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(values, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _volume_filter(width: int) -> nn.Sequential:
    inner = (pre_activation_3d(width, width) for _ in range(_INNER_LAYERS))
    return nn.Sequential(pre_activation_3d(1, width), *inner, pre_activation_3d(width, 1))


def _refinement(channels: int) -> nn.ModuleList:
    """The gates' network on the left view, and the convolutions before and after the propagation."""
    widths = [3, _GUIDE_WIDTH, _GUIDE_WIDTH, _GUIDE_WIDTH, 3 * channels]
    guide: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        guide += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.ReLU()]
    return nn.ModuleList(
        [
            nn.Sequential(*guide[:-1]),
            nn.Conv2d(1, channels, 3, padding=1, bias=False),
            nn.Conv2d(channels, 1, 3, padding=1, bias=False),
        ]
    )


def _spec(settings: AnyNetSettings, name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=_COARSEST,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_disparity=settings.max_disparity,
        first=("feature_extraction.block0.0.0",),
        uncompressed=(_REFINEMENT,) if settings.propagation else (),
        protected=tuple(f"volume_postprocess.{scale}.{_INNER_LAYERS + 1}.2" for scale in range(_SCALES)),
        loss_weights=(0.25, 0.5, 1.0, 1.0) if settings.propagation else (0.25, 0.5, 1.0),
    )


ANYNET = preset(AnyNet, AnyNetSettings, "anynet")
ANYNET_SPN = preset(AnyNet, AnyNetSettings, "anynet_spn", propagation=8)
