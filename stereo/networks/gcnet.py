"""GC-Net (Kendall et al., ICCV 2017): concatenation volume at half resolution, one deep 3D encoder-decoder.

Layers are numbered as in the paper's table 1. Interpretation: additions come before the last activation of a block,
and images are scaled to -1..1 (section 4.1) by the mean and standard deviation 0.5. There is no published checkpoint.
The layers of table 1 have 2.85 M parameters, not the 3.5 M as which GC-Net is usually quoted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.blocks.conv_norm import conv_norm_2d, conv_norm_3d, doubling_norm_3d
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import HALF
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.concatenation import ConcatenationVolume


@dataclass(frozen=True, kw_only=True)
class GCNetSettings:
    """Sizes of a GC-Net.

    Attributes:
        width: F of the paper; the aggregation has up to four times as many channels.
        blocks: residual blocks of the feature tower.
        max_disparity: in pixels, a multiple of 32.

    """

    width: int = 32
    blocks: int = 8
    max_disparity: int = 192

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if min(self.width, self.blocks) < 1:
            raise InputError("GC-Net width and blocks must be positive", found=(self.width, self.blocks))
        if self.max_disparity <= 0 or self.max_disparity % 32:
            raise InputError("GC-Net max_disparity", found=self.max_disparity, expected="a positive multiple of 32")


class UnaryBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside the input, ReLU after each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = conv_norm_2d(width, width, 3)
        self.conv2 = conv_norm_2d(width, width, 3)

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C, H, W]`` to the same shape."""
        return F.relu(self.conv2(F.relu(self.conv1(features))) + features)


class Halving(nn.Module):
    """A 3x3x3 convolution with stride 2 and two more at the new size (layers 21-23, 24-26, 27-29, 30-32)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = conv_norm_3d(inputs, outputs, stride=2)
        self.inner = nn.Sequential(
            *(conv_norm_3d(outputs, outputs), nn.ReLU()), *(conv_norm_3d(outputs, outputs), nn.ReLU())
        )

    def forward(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """From ``[B, C, D, H, W]`` to half of every size: for the next halving, and for the way up."""
        smaller = F.relu(self.down(volume))
        return smaller, self.inner(smaller)


class Aggregation(nn.Module):
    """Layers 19 to 37: from the volume to the cost at full size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        double, inner = 2 * width, 4 * width
        self.entry = nn.Sequential(*(conv_norm_3d(double, width), nn.ReLU()), *(conv_norm_3d(width, width), nn.ReLU()))
        self.down = nn.ModuleList(Halving(double, outputs) for outputs in (double, double, double, inner))
        widths = (inner, double, double, double, width)
        self.up = nn.ModuleList(doubling_norm_3d(*pair) for pair in pairwise(widths))
        self.last = nn.ConvTranspose3d(width, 1, 3, stride=2, padding=1, output_padding=1)

    def forward(self, volume: Tensor) -> Tensor:
        """From ``[B, 2F, D/2, H/2, W/2]`` to cost ``[B, 1, D, H, W]``."""
        skips = [self.entry(volume)]
        for halving in self.down:
            volume, skip = halving(volume)
            skips.append(skip)
        raised = skips.pop()
        for doubling in self.up:
            raised = F.relu(doubling(raised) + skips.pop())
        return self.last(raised)


class GCNet(StereoNetwork):
    """Feature tower, concatenation volume, encoder-decoder, soft-argmin."""

    def __init__(self, settings: GCNetSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        width = settings.width
        self.features = nn.Sequential(
            *(conv_norm_2d(3, width, 5, stride=2), nn.ReLU()),
            *(UnaryBlock(width) for _ in range(settings.blocks)),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.volume = ConcatenationVolume(settings.max_disparity // 2)
        self.aggregation = Aggregation(width)
        self.soft_argmin = SoftArgmin()

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity ``[B, H, W]`` from normalised views ``[B, 3, H, W]``."""
        features = self.features(torch.cat([left, right]))
        cost = self.aggregation(self.volume(*features.chunk(2)))
        return (self.soft_argmin(cost.squeeze(1)),)


def _spec(settings: GCNetSettings, name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=32,
        mean=HALF,
        std=HALF,
        max_disparity=settings.max_disparity,
        first=("features.0.0",),
        protected=("aggregation.last",),
    )


GCNET = preset(GCNet, GCNetSettings, "gcnet")
