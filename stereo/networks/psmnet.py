"""PSMNet (Chang and Chen, CVPR 2018): spatial pyramid pooling, concatenation volume, 3D aggregation.

Module names follow the published checkpoints, so that they load without a key map. What their accuracy depends on:

* ImageNet statistics, RGB, zero padding at the top and on the right to a multiple of 16.
* The volume is a similarity: softmax of +x.
* Up-sampling: the weights of 2018 (KITTI 2012, KITTI 2015, SceneFlow) come from a PyTorch that interpolated with
  aligned corners, those of 2021 (SceneFlow) from one that does not. `align_corners` must fit the weights.
* The disparities of the SceneFlow weights of 2018 are about 1.17 times too small; the reason is not documented.
  `output_factor` corrects it.

So the presets `psmnet_basic` and `psmnet_hourglass` are for the KITTI weights, `psmnet_sceneflow_2018` and
`psmnet_sceneflow_2021` for the two SceneFlow files. Source: the project's README and its issues 64, 113, 135 and 224.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.stereo.blocks.aggregation import classifier, entry, initialise, residual
from disparsity.stereo.blocks.hourglass import LinkedHourglass
from disparsity.stereo.blocks.pyramid_tower import PyramidTower
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import preset
from disparsity.stereo.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from disparsity.stereo.regression import UpsampledSoftArgmax
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.concatenation import ConcatenationVolume

_LAST_OF_HOURGLASSES = ("classif1.2", "classif2.2", "classif3.2")
# Source: section 4.2, the weights of the three supervised maps.
_LOSS_WEIGHTS = (0.5, 0.7, 1.0)


@dataclass(frozen=True, kw_only=True)
class PSMNetSettings:
    """Sizes of a PSMNet.

    Attributes:
        width: channels of the matching features and of the aggregation; the tower has up to four times as many.
        blocks: residual blocks of the tower's second stage.
        largest_pool: side of the largest pooling window at quarter resolution.
        max_disparity: in pixels, a multiple of 16.
        align_corners: of all up-sampling; see the module's docstring.
        output_factor: every disparity is multiplied by this; see the module's docstring.

    """

    width: int = 32
    blocks: int = 16
    largest_pool: int = 64
    max_disparity: int = 192
    align_corners: bool = True
    output_factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if min(self.width, self.blocks) < 1:
            raise InputError("PSMNet width and blocks must be positive", found=(self.width, self.blocks))
        if self.largest_pool < 8:
            raise InputError("PSMNet largest_pool too small", found=self.largest_pool, expected="8 or more")
        if self.max_disparity <= 0 or self.max_disparity % 16:
            raise InputError("PSMNet max_disparity", found=self.max_disparity, expected="a positive multiple of 16")
        if not 0.0 < self.output_factor < math.inf:
            raise InputError("PSMNet output_factor must be positive", found=self.output_factor)


class PSMNet(StereoNetwork):
    """What both variants share: features, volume, its first layers, regression; they implement `aggregate`.

    Both views go through the tower as one batch: in training mode they share BatchNorm's statistics, where the
    published code takes one view after the other. In eval mode there is no difference.
    """

    def __init__(self, settings: PSMNetSettings, spec: NetworkSpec) -> None:
        super().__init__(spec)
        width = settings.width
        self.output_factor = settings.output_factor
        self.feature_extraction = PyramidTower(
            width, settings.blocks, settings.largest_pool, align_corners=settings.align_corners
        )
        self.volume = ConcatenationVolume(settings.max_disparity // 4)
        self.dres0 = entry(2 * width, width)
        self.dres1 = residual(width)
        self.soft_argmax = UpsampledSoftArgmax(settings.max_disparity, align_corners=settings.align_corners)

    def aggregate(self, volume: Tensor) -> tuple[Tensor, ...]:
        """Similarities ``[B, 1, D/4, H/4, W/4]`` coarse to fine from a volume ``[B, c, D/4, H/4, W/4]``."""
        raise NotImplementedError

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity ``[B, H, W]`` from normalised views: every supervised map when training, else the last."""
        features = self.feature_extraction(torch.cat([left, right]))
        entered = self.dres0(self.volume(*features.chunk(2)))
        similarities = self.aggregate(self.dres1(entered) + entered)
        wanted = similarities if self.training else similarities[-1:]
        return tuple(self.soft_argmax(item, left) * self.output_factor for item in wanted)


class PSMNetBasic(PSMNet):
    """Aggregation by a chain of residual blocks. Source: section 4.2, "basic"."""

    def __init__(self, settings: PSMNetSettings, name: str) -> None:
        super().__init__(settings, _spec(settings, name, ("classify.2",), (1.0,)))
        self.dres2, self.dres3, self.dres4 = (residual(settings.width) for _ in range(3))
        self.classify = classifier(settings.width)
        initialise(self)

    def aggregate(self, volume: Tensor) -> tuple[Tensor, ...]:
        """One similarity volume."""
        for block in (self.dres2, self.dres3, self.dres4):
            volume = block(volume) + volume
        return (self.classify(volume),)


class PSMNetHourglass(PSMNet):
    """Aggregation by three linked hourglasses, each with a supervised map. Source: section 3.4 and figure 1."""

    def __init__(self, settings: PSMNetSettings, name: str) -> None:
        super().__init__(settings, _spec(settings, name, _LAST_OF_HOURGLASSES, _LOSS_WEIGHTS))
        self.dres2, self.dres3, self.dres4 = (LinkedHourglass(settings.width) for _ in range(3))
        self.classif1, self.classif2, self.classif3 = (classifier(settings.width) for _ in range(3))
        initialise(self)

    def aggregate(self, volume: Tensor) -> tuple[Tensor, ...]:
        """Three similarity volumes, each the sum of all before."""
        first, down, up = self.dres2(volume, None, None)
        first = first + volume
        second, _, up = self.dres3(first, down, up)
        second = second + volume
        third, _, _ = self.dres4(second, down, up)
        third = third + volume
        coarse = self.classif1(first)
        middle = self.classif2(second) + coarse
        return coarse, middle, self.classif3(third) + middle


def _spec(
    settings: PSMNetSettings, name: str, protected: tuple[str, ...], loss_weights: tuple[float, ...]
) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        settings=asdict(settings),
        divisor=16,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        max_disparity=settings.max_disparity,
        first=("feature_extraction.firstconv.0.0",),
        protected=protected,
        loss_weights=loss_weights,
    )


BASIC = preset(PSMNetBasic, PSMNetSettings, "psmnet_basic")
HOURGLASS = preset(PSMNetHourglass, PSMNetSettings, "psmnet_hourglass")
SCENEFLOW_2018 = preset(PSMNetHourglass, PSMNetSettings, "psmnet_sceneflow_2018", output_factor=1.17)
SCENEFLOW_2021 = preset(PSMNetHourglass, PSMNetSettings, "psmnet_sceneflow_2021", align_corners=False)
