"""GwcNet (Guo et al., CVPR 2019): group-wise correlation, alone (g) or beside a concatenation volume (gc).

Module names follow the published checkpoints, so that they load without a key map. What their accuracy depends on:
ImageNet statistics, RGB, zero padding at the top and on the right to a multiple of 16; the volume is a similarity
(softmax of +x); up-sampling does not align corners.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.blocks.aggregation import classifier, entry, initialise, residual
from disparsity.stereo.blocks.hourglass import RedirectedHourglass
from disparsity.stereo.blocks.residual_tower import ResidualTower, feature_head
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from disparsity.stereo.regression import UpsampledSoftArgmax
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.concatenation import ConcatenationVolume
from disparsity.stereo.volumes.groupwise import GroupwiseVolume

_TRAINING_HEADS = ("classif0", "classif1", "classif2")
# Source: section 3.4, the weights of the four supervised maps.
_LOSS_WEIGHTS = (0.5, 0.5, 0.7, 1.0)


@dataclass(frozen=True, kw_only=True)
class GwcNetSettings:
    """Sizes of a GwcNet.

    Attributes:
        concat_width: channels of each view in the concatenation volume; 0 leaves it out (GwcNet-g).
        width: base width; the correlated features have ten times as many channels.
        groups: of the correlation, a divisor of ten times the width.
        blocks: residual blocks of the tower's second stage.
        max_disparity: in pixels, a multiple of 16.

    """

    concat_width: int = 0
    width: int = 32
    groups: int = 40
    blocks: int = 16
    max_disparity: int = 192

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if min(self.width, self.blocks, self.groups) < 1 or self.concat_width < 0:
            raise InputError("impossible GwcNet sizes", found=self, expected="positive numbers, concat_width >= 0")
        if 10 * self.width % self.groups:
            raise InputError("GwcNet groups", found=self.groups, expected=f"a divisor of {10 * self.width}")
        if self.max_disparity <= 0 or self.max_disparity % 16:
            raise InputError("GwcNet max_disparity", found=self.max_disparity, expected="a positive multiple of 16")


class GwcTower(ResidualTower):
    """The residual tower; what it correlates are all three stages, what it concatenates is a head on top of them."""

    def __init__(self, width: int, blocks: int, concat_width: int) -> None:
        super().__init__(width, blocks)
        self.lastconv = feature_head(10 * width, 4 * width, concat_width) if concat_width else None

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features ``[B, 10c, H/4, W/4]`` to correlate and ``[B, concat_width, H/4, W/4]`` to concatenate, or None."""
        gathered = torch.cat(self.stages(view), dim=1)
        return gathered, None if self.lastconv is None else self.lastconv(gathered)


class GwcNet(StereoNetwork):
    """Tower, volumes, three hourglasses; the heads of the coarse maps run in training mode only.

    Both views go through the tower as one batch: in training mode they share BatchNorm's statistics, where the
    published code takes one view after the other. In eval mode there is no difference.
    """

    def __init__(self, settings: GwcNetSettings, name: str) -> None:
        super().__init__(_spec(settings, name))
        width, planes = settings.width, settings.max_disparity // 4
        self.feature_extraction = GwcTower(width, settings.blocks, settings.concat_width)
        self.correlation = GroupwiseVolume(planes, settings.groups)
        self.concatenation = ConcatenationVolume(planes) if settings.concat_width else None
        self.dres0 = entry(settings.groups + 2 * settings.concat_width, width)
        self.dres1 = residual(width)
        self.dres2, self.dres3, self.dres4 = (RedirectedHourglass(width) for _ in range(3))
        self.classif0, self.classif1, self.classif2, self.classif3 = (classifier(width) for _ in range(4))
        self.soft_argmax = UpsampledSoftArgmax(settings.max_disparity, align_corners=False)
        initialise(self)

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity ``[B, H, W]`` from normalised views: four maps when training, else the last of them."""
        entered = self.dres0(self._volume(left, right))
        volumes = [self.dres1(entered) + entered]
        for hourglass in (self.dres2, self.dres3, self.dres4):
            volumes.append(hourglass(volumes[-1]))
        if not self.training:
            return (self.soft_argmax(self.classif3(volumes[-1]), left),)
        heads: tuple[nn.Module, ...] = (self.classif0, self.classif1, self.classif2, self.classif3)
        return tuple(self.soft_argmax(head(volume), left) for head, volume in zip(heads, volumes, strict=True))

    def _volume(self, left: Tensor, right: Tensor) -> Tensor:
        gathered, merged = self.feature_extraction(torch.cat([left, right]))
        correlated = self.correlation(*gathered.chunk(2))
        if self.concatenation is None or merged is None:
            return correlated
        return torch.cat([correlated, self.concatenation(*merged.chunk(2))], dim=1)


def _spec(settings: GwcNetSettings, name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=16,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_disparity=settings.max_disparity,
        first=("feature_extraction.firstconv.0.0",),
        protected=("classif3.2",),
        loss_weights=_LOSS_WEIGHTS,
        training_only=_TRAINING_HEADS,
    )


GWCNET_G = preset(GwcNet, GwcNetSettings, "gwcnet_g")
GWCNET_GC = preset(GwcNet, GwcNetSettings, "gwcnet_gc", concat_width=12)
