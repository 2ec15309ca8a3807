"""StereoNet (Khamis et al., ECCV 2018): low-resolution difference volume, then refinement at full resolution.

Module names follow the published checkpoint, so that it loads without a key map.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.difference import DifferenceVolume

_SLOPE = 0.2
_REFINEMENT_DILATIONS = (1, 2, 4, 8, 1, 1)
_RESIDUAL_BLOCKS = 6
_EIGHT_BITS_OF_HALF_PIXELS = 128


@dataclass(frozen=True, kw_only=True)
class StereoNetSettings:
    """Sizes of a StereoNet.

    Attributes:
        halvings: how often the feature tower halves the resolution, 2..4 (3 is "8x", 4 is "16x").
        width: channels of the feature tower and of the cost filter.
        refinement_width: channels of the refinement at full resolution.
        max_disparity: in pixels, a multiple of 2**halvings.
        disparity_scale: the refinement sees disparity divided by this; 1 in the published network, whose weights are
            converted for 64 when they are loaded.

    """

    halvings: int = 4
    width: int = 32
    refinement_width: int = 32
    max_disparity: int = 192
    disparity_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if not 2 <= self.halvings <= 4:
            raise InputError("StereoNet halvings out of range", found=self.halvings, expected="2, 3 or 4")
        if min(self.width, self.refinement_width) < 1:
            raise InputError("StereoNet width must be positive", found=(self.width, self.refinement_width))
        if self.max_disparity <= 0 or self.max_disparity % (1 << self.halvings):
            raise InputError(
                "StereoNet max_disparity must be a positive multiple of 2**halvings",
                found=self.max_disparity,
                expected=f"a multiple of {1 << self.halvings}",
            )
        if not 0.0 < self.disparity_scale < math.inf:
            raise InputError("StereoNet disparity_scale must be positive", found=self.disparity_scale)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm, the input added before the last activation."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.batchnorm2d_1 = nn.BatchNorm2d(width)
        self.conv2d_2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.batchnorm2d_2 = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C, H, W]`` to the same shape."""
        inner = F.leaky_relu(self.batchnorm2d_1(self.conv2d_1(features)), _SLOPE)
        return F.leaky_relu(self.batchnorm2d_2(self.conv2d_2(inner)) + features, _SLOPE)


class CostFilter(nn.Module):
    """One 3x3x3 convolution with BatchNorm and activation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(width, width, 3, padding=1)
        self.batchnorm3d = nn.BatchNorm3d(width)

    def forward(self, volume: Tensor) -> Tensor:
        """From ``[B, C, D, H, W]`` to the same shape."""
        return F.leaky_relu(self.batchnorm3d(self.conv3d(volume)), _SLOPE)


class StereoNet(StereoNetwork):
    """Feature tower, difference volume, cost filter, soft-argmin, refinement."""

    def __init__(self, settings: StereoNetSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        self.disparity_scale = settings.disparity_scale
        self.downsampling = _downsampling(settings)
        self.six_residual_blocks = nn.Sequential(
            *(ResidualBlock(settings.width) for _ in range(_RESIDUAL_BLOCKS)),
            nn.Conv2d(settings.width, settings.width, 3, padding=1),
        )
        self.volume = DifferenceVolume(settings.max_disparity >> settings.halvings)
        self.cost_volume_filter = nn.Sequential(
            *(CostFilter(settings.width) for _ in range(4)), nn.Conv3d(settings.width, 1, 3, padding=1)
        )
        self.soft_argmin = SoftArgmin()
        self.refine = nn.Sequential(
            nn.Conv2d(4, settings.refinement_width, 3, padding=1),
            *(ResidualBlock(settings.refinement_width, dilation) for dilation in _REFINEMENT_DILATIONS),
            nn.Conv2d(settings.refinement_width, 1, 3, padding=1),
        )

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Coarse and refined disparity ``[B, H, W]`` from normalised views ``[B, 3, H, W]``."""
        features = self.six_residual_blocks(self.downsampling(torch.cat([left, right])))
        cost = self.cost_volume_filter(self.volume(*features.chunk(2))).squeeze(1)
        coarse = self._upsample(self.soft_argmin(cost), left)
        refined = F.relu(coarse + self._residual(coarse / self.disparity_scale, left) * self.disparity_scale)
        return coarse.squeeze(1), refined.squeeze(1)

    def _residual(self, disparity: Tensor, left: Tensor) -> Tensor:
        # Disparity in pixels does not fit into bfloat16: its first layer stays in float32 under autocast, which the
        # meta device, where costs are traced, does not have.
        with nullcontext() if left.is_meta else torch.autocast(left.device.type, enabled=False):
            features = self.refine[0](torch.cat([disparity.float(), left.float()], dim=1))
        return self.refine[1:](features).float()

    @staticmethod
    def _upsample(index: Tensor, view: Tensor) -> Tensor:
        disparity = index.unsqueeze(1) * (view.shape[-1] / index.shape[-1])
        return F.interpolate(disparity, size=view.shape[-2:], mode="bilinear", align_corners=False)


@torch.no_grad()
def with_disparity_scaled(network: StereoNet, scale: float) -> StereoNet:
    """The same function with another `disparity_scale`; to the bit, where the scales are powers of two."""
    found: dict[str, Any] = {**network.spec.settings, "disparity_scale": scale}
    factor, scaled = scale / network.disparity_scale, StereoNet(StereoNetSettings(**found), network.spec.name)
    scaled.load_state_dict(network.state_dict())
    first, last = (scaled.get_submodule(name) for name in ("refine.0", *scaled.spec.protected[1:]))
    first.get_parameter("weight")[:, 0] *= factor
    for values in last.parameters():
        values.div_(factor)
    return scaled.train(network.training)


def _downsampling(settings: StereoNetSettings) -> nn.Sequential:
    inputs = [3] + [settings.width] * (settings.halvings - 1)
    return nn.Sequential(*(nn.Conv2d(channels, settings.width, 5, stride=2, padding=2) for channels in inputs))


def _spec(settings: StereoNetSettings, name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=1 << settings.halvings,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        max_disparity=settings.max_disparity,
        first=("downsampling.0",),
        protected=("cost_volume_filter.4", f"refine.{len(_REFINEMENT_DILATIONS) + 1}"),
        wide_inputs=("refine.0",) if settings.max_disparity > _EIGHT_BITS_OF_HALF_PIXELS else (),
        loss_weights=(1.0, 1.0),
    )


REFERENCE = preset(
    StereoNet,
    StereoNetSettings,
    "reference",
    halvings=3,
    width=48,
    refinement_width=16,
    max_disparity=48,
    disparity_scale=16.0,
)
STEREONET = preset(StereoNet, StereoNetSettings, "stereonet", halvings=4)
STEREONET_8X = preset(StereoNet, StereoNetSettings, "stereonet_8x", halvings=3)
