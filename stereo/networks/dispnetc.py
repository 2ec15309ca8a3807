"""DispNetC (Mayer et al., CVPR 2016): 1D correlation inside a 2D encoder-decoder with skip connections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import HALF
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.correlation import CorrelationVolume

_SLOPE = 0.1
_MATCH_REDUCTION = 4
_LEVELS = 6


@dataclass(frozen=True, kw_only=True)
class DispNetCSettings:
    """Sizes of a DispNetC.

    Attributes:
        width: channels of the first layer; the deepest has 16 times as many. Even.
        max_disparity: largest disparity of the correlation, in pixels, a multiple of 4.
        disparity_scale: the network computes with disparity divided by this.

    """

    width: int = 64
    max_disparity: int = 160
    disparity_scale: float = 20.0

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if self.width < 2 or self.width % 2:
            raise InputError("DispNetC width must be even and positive", found=self.width)
        if self.max_disparity <= 0 or self.max_disparity % _MATCH_REDUCTION:
            raise InputError("DispNetC max_disparity must be a positive multiple of 4", found=self.max_disparity)
        if not 0.0 < self.disparity_scale < math.inf:
            raise InputError("DispNetC disparity_scale must be positive", found=self.disparity_scale)


class Encoder(nn.Module):
    """From matched features at 1/4 to features at 1/8, 1/16, 1/32 and 1/64: a halving, then a convolution, each."""

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        channels = (inputs, *widths)
        kernels = (5, *[3] * (len(widths) - 1))
        self.levels = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, kernel, stride=2), *_convolution(after, after, 3))
            for before, after, kernel in zip(channels, channels[1:], kernels, strict=False)
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """From ``[B, C, H, W]`` to one map per level, fine to coarse."""
        maps = []
        for level in self.levels:
            features = level(features)
            maps.append(features)
        return maps


class DecoderStep(nn.Module):
    """Twice the resolution: features and disparity are upsampled, joined with the skip, and a new disparity is made."""

    def __init__(self, inputs: int, skip: int, width: int) -> None:
        super().__init__()
        self.upsample = nn.Sequential(nn.ConvTranspose2d(inputs, width, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE))
        self.upsample_disparity = nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1)
        self.join = nn.Conv2d(width + 1 + skip, width, 3, padding=1)
        self.predict = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, features: Tensor, disparity: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        """From ``[B, C, H, W]`` and ``[B, 1, H, W]`` to ``[B, C', 2H, 2W]`` and ``[B, 1, 2H, 2W]``."""
        joined = self.join(torch.cat([self.upsample(features), self.upsample_disparity(disparity), skip], dim=1))
        return joined, self.predict(joined)


class DispNetC(StereoNetwork):
    """Six disparity maps, from 1/64 to 1/2 of the resolution, each a step of the decoder.

    Interpretation: maps are upsampled to the input's size bilinearly, and the network computes with disparity divided
    by `disparity_scale` as FlowNet does (Dosovitskiy et al., ICCV 2015), so that its channel fits beside the features.
    """

    def __init__(self, settings: DispNetCSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        width = settings.width
        self.scale = settings.disparity_scale
        self.shallow = nn.ModuleList(
            [
                nn.Sequential(*_convolution(3, width, 7, stride=2)),
                nn.Sequential(*_convolution(width, 2 * width, 5, stride=2)),
            ]
        )
        self.volume = CorrelationVolume(settings.max_disparity // _MATCH_REDUCTION + 1)
        self.redirect = nn.Sequential(*_convolution(2 * width, width, 1))
        depths = [4 * width, 8 * width, 8 * width, 16 * width]
        self.encoder = Encoder(self.volume.planes + width, depths)
        self.predict = nn.Conv2d(depths[-1], 1, 3, padding=1)
        skips = [8 * width, 8 * width, 4 * width, 2 * width, width]
        outputs = [8 * width, 4 * width, 2 * width, width, width // 2]
        inputs = [depths[-1], *outputs]
        self.decoder = nn.ModuleList(map(DecoderStep, inputs, skips, outputs))

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Six disparity maps ``[B, H, W]``, coarse to fine, from normalised views ``[B, 3, H, W]``."""
        first, matched = self._matched(left, right)
        encoded = self.encoder(matched[1])
        features, disparity = encoded[-1], self.predict(encoded[-1])
        maps = [disparity]
        for step, skip in zip(self.decoder, [*reversed(encoded[:-1]), matched[0], first], strict=True):
            features, disparity = step(features, disparity, skip)
            maps.append(disparity)
        return tuple(self._full_size(disparity, left) for disparity in maps)

    def _matched(self, left: Tensor, right: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The left view's features at 1/2, and at 1/4 alone and together with the correlation."""
        first, quarter = self._features(left)
        correlation = F.leaky_relu(self.volume(quarter, self._features(right)[1]), _SLOPE)
        return first, (quarter, torch.cat([self.redirect(quarter), correlation], dim=1))

    def _features(self, view: Tensor) -> tuple[Tensor, Tensor]:
        half = self.shallow[0](view)
        return half, self.shallow[1](half)

    def _full_size(self, disparity: Tensor, view: Tensor) -> Tensor:
        pixels = disparity.float() * self.scale
        return F.interpolate(pixels, size=view.shape[-2:], mode="bilinear", align_corners=False).squeeze(1)


def _convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2), nn.LeakyReLU(_SLOPE)


def _spec(settings: DispNetCSettings, name: str) -> NetworkSpec:
    steps = [f"decoder.{index}" for index in range(_LEVELS - 1)]
    upsampling = [f"{step}.upsample_disparity" for step in steps]
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=1 << _LEVELS,
        mean=HALF,
        std=HALF,
        max_disparity=settings.max_disparity,
        first=("shallow.0.0",),
        protected=("predict", *(f"{step}.predict" for step in steps), *upsampling),
        wide_inputs=(*upsampling, *(f"{step}.join" for step in steps)),
        loss_weights=tuple(0.5**level for level in range(_LEVELS - 1, -1, -1)),
    )


DISPNETC = preset(DispNetC, DispNetCSettings, "dispnetc")
