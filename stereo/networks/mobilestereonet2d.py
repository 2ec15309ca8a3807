"""MobileStereoNet-2D (Shamsafar et al., WACV 2022): depthwise-separable, 2D but for the matcher of its volume."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.blocks.conv_norm import conv_norm_2d
from disparsity.stereo.blocks.separable import InvertedResidual, SeparableBlock, SeparableHourglass
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from disparsity.stereo.regression import UpsampledSoftArgmax
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.interlaced import InterlacedVolume

_MATCH_CHANNELS = 32
_MATCH_DEPTHS = (8, 4, 2)
"""Strides of the matcher along the 2 x 32 interlaced channels: their product is 64, so that one plane is left."""
_EXPANSION = 3
_HOURGLASSES = 3
_REDUCTION = 4


@dataclass(frozen=True, kw_only=True)
class MobileStereoNet2dSettings:
    """Sizes of a MobileStereoNet-2D.

    Attributes:
        width: channels of the first layers; the tower's later layers have 2 and 4 times as many. Even.
        blocks: separable blocks of the tower's second layer, its longest.
        hourglass_width: channels of the hourglasses.
        max_disparity: in pixels, a multiple of 4.

    """

    width: int = 32
    blocks: int = 16
    hourglass_width: int = 48
    max_disparity: int = 192

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if self.width < 2 or self.width % 2 or min(self.blocks, self.hourglass_width) < 1:
            raise InputError("MobileStereoNet-2D sizes out of range", found=self, expected="an even width, others >= 1")
        if self.max_disparity <= 0 or self.max_disparity % _REDUCTION:
            raise InputError(
                "MobileStereoNet-2D max_disparity must be a positive multiple of 4", found=self.max_disparity
            )


class FeatureTower(nn.Module):
    """Quarter-resolution features: three inverted residuals, then four layers of separable blocks, three of them kept.

    Source: MobileStereoNet (Shamsafar et al., WACV 2022): the tower of GwcNet with separable convolutions.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *(
                layer
                for inputs, stride in ((3, 2), (width, 1), (width, 1))
                for layer in (InvertedResidual(inputs, width, stride, _EXPANSION), nn.ReLU())
            )
        )
        self.layer1 = _separable_layer(width, width, 3)
        self.layer2 = _separable_layer(width, 2 * width, blocks, stride=2)
        self.layer3 = _separable_layer(2 * width, 4 * width, 3)
        self.layer4 = _separable_layer(4 * width, 4 * width, 3, dilation=2)

    def forward(self, view: Tensor) -> Tensor:
        """From ``[B, 3, H, W]`` to ``[B, 10 width, H/4, W/4]``."""
        second = self.layer2(self.layer1(self.stem(view)))
        third = self.layer3(second)
        return torch.cat([second, third, self.layer4(third)], dim=1)


class PairMatcher(nn.Module):
    """From interlaced channels ``[B, 1, 64, H, W]`` to one plane ``[B, 1, H, W]``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (1, width // 2, width, width // 2)
        self.reduce = nn.Sequential(
            *(
                layer
                for inputs, outputs, depth in zip(channels[:-1], channels[1:], _MATCH_DEPTHS, strict=True)
                for layer in (
                    nn.Conv3d(inputs, outputs, (depth, 3, 3), stride=(depth, 1, 1), padding=(0, 1, 1)),
                    nn.BatchNorm3d(outputs),
                    nn.ReLU(),
                )
            )
        )
        self.score = conv_norm_2d(width // 2, 1, 1)

    def forward(self, pair: Tensor) -> Tensor:
        """Scores of one disparity, zero or more."""
        return F.relu(self.score(self.reduce(pair).squeeze(2)))


class MobileStereoNet2d(StereoNetwork):
    """Separable tower, interlaced volume, three separable hourglasses, soft-argmin over the upsampled planes.

    In eval mode only the last map is returned: the heads of the earlier stages serve the training loss alone.
    """

    def __init__(self, settings: MobileStereoNet2dSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        planes, width = settings.max_disparity // _REDUCTION, settings.hourglass_width
        self.tower = FeatureTower(settings.width, settings.blocks)
        self.compress = _compression(settings.width)
        self.volume = InterlacedVolume(planes, PairMatcher(settings.width))
        self.enter = nn.Sequential(
            InvertedResidual(planes, width, 1, _EXPANSION), nn.ReLU(), InvertedResidual(width, width, 1, _EXPANSION)
        )
        self.enter_residual = nn.Sequential(
            InvertedResidual(width, width, 1, _EXPANSION), nn.ReLU(), InvertedResidual(width, width, 1, _EXPANSION)
        )
        self.hourglasses = nn.ModuleList(SeparableHourglass(width) for _ in range(_HOURGLASSES))
        self.early_heads = nn.ModuleList(nn.Sequential(*_head(width, planes)) for _ in range(_HOURGLASSES))
        self.head = nn.Sequential(*_head(width, planes))
        self.soft_argmax = UpsampledSoftArgmax(settings.max_disparity, align_corners=False)

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity ``[B, H, W]`` from normalised views ``[B, 3, H, W]``: four maps in training, one in eval mode."""
        volume = self.volume(self._features(left), self._features(right))
        entered = F.relu(self.enter(volume))
        stages = [self.enter_residual(entered) + entered]
        for hourglass in self.hourglasses:
            stages.append(hourglass(stages[-1]))
        heads = [*self.early_heads, self.head] if self.training else [self.head]
        last = stages[-len(heads) :]
        return tuple(self._disparity(head(stage), left) for head, stage in zip(heads, last, strict=True))

    def _features(self, view: Tensor) -> Tensor:
        return self.compress(self.tower(view))

    def _disparity(self, scores: Tensor, view: Tensor) -> Tensor:
        return self.soft_argmax(scores.unsqueeze(1), view)


def _separable_layer(inputs: int, width: int, blocks: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    first = SeparableBlock(inputs, width, stride, dilation)
    return nn.Sequential(first, *(SeparableBlock(width, width, 1, dilation) for _ in range(blocks - 1)))


def _compression(width: int) -> nn.Sequential:
    channels = (10 * width, 8 * width, 4 * width, 2 * width)
    steps = [
        layer
        for inputs, outputs in itertools.pairwise(channels)
        for layer in (conv_norm_2d(inputs, outputs, 1), nn.ReLU())
    ]
    return nn.Sequential(*steps, nn.Conv2d(2 * width, _MATCH_CHANNELS, 1))


def _head(width: int, planes: int) -> tuple[nn.Module, ...]:
    return conv_norm_2d(width, width, 3), nn.ReLU(), nn.Conv2d(width, planes, 3, padding=1, bias=False)


def _spec(settings: MobileStereoNet2dSettings, name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=16,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_disparity=settings.max_disparity,
        first=("tower.stem.0.expand.0",),
        protected=("volume.matcher.score.0", "head.2"),
        loss_weights=(0.5, 0.5, 0.7, 1.0),
        training_only=("early_heads",),
    )


MOBILESTEREONET_2D = preset(MobileStereoNet2d, MobileStereoNet2dSettings, "mobilestereonet_2d")
