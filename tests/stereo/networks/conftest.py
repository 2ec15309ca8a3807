"""The published forward passes of PSMNet and GwcNet, as functions over a state dict."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor


class Published:
    """The published forward pass in functions over a state dict, one view at a time, volumes filled by slices."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state

    def norm(self, name: str, x: Tensor) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{name}.{key}"] for key in keys))

    def conv(self, name: str, x: Tensor, stride: int = 1, dilation: int = 1) -> Tensor:
        weight = self.state[f"{name}.0.weight"]
        pad = dilation * (weight.shape[-1] // 2)
        function = F.conv2d if weight.dim() == 4 else F.conv3d
        return self.norm(f"{name}.1", function(x, weight, None, stride, pad, dilation))

    def doubling(self, name: str, x: Tensor) -> Tensor:
        return self.norm(f"{name}.1", F.conv_transpose3d(x, self.state[f"{name}.0.weight"], None, 2, 1, 1))

    def stage(self, name: str, x: Tensor, blocks: int, stride: int = 1, dilation: int = 1) -> Tensor:
        for i in range(blocks):
            step = stride if i == 0 else 1
            inner = F.relu(self.conv(f"{name}.{i}.conv1.0", x, step, dilation))
            beside = x
            if f"{name}.{i}.downsample.0.weight" in self.state:
                beside = self.conv(f"{name}.{i}.downsample", x, step)
            x = self.conv(f"{name}.{i}.conv2", inner, 1, dilation) + beside
        return x

    def stages(self, x: Tensor, blocks: int) -> list[Tensor]:
        root = "feature_extraction"
        for place, stride in ((0, 2), (2, 1), (4, 1)):
            x = F.relu(self.conv(f"{root}.firstconv.{place}", x, stride))
        second = self.stage(f"{root}.layer2", self.stage(f"{root}.layer1", x, 3), blocks, stride=2)
        third = self.stage(f"{root}.layer3", second, 3)
        return [second, third, self.stage(f"{root}.layer4", third, 3, dilation=2)]

    def pyramid(self, x: Tensor, blocks: int, pool: int, align: bool) -> Tensor:
        root = "feature_extraction"
        second, _, fourth = self.stages(x, blocks)
        parts = [second, fourth]
        for branch, side in ((4, pool // 8), (3, pool // 4), (2, pool // 2), (1, pool)):
            small = F.relu(self.conv(f"{root}.branch{branch}.1", F.avg_pool2d(fourth, side, side)))
            parts.append(F.interpolate(small, fourth.shape[-2:], mode="bilinear", align_corners=align))
        merged = F.relu(self.conv(f"{root}.lastconv.0", torch.cat(parts, 1)))
        return F.conv2d(merged, self.state[f"{root}.lastconv.2.weight"])

    def head(self, name: str, x: Tensor) -> Tensor:
        return F.conv3d(F.relu(self.conv(f"{name}.0", x)), self.state[f"{name}.2.weight"], None, 1, 1)

    def residual(self, name: str, x: Tensor) -> Tensor:
        return self.conv(f"{name}.2", F.relu(self.conv(f"{name}.0", x)))

    def entered(self, volume: Tensor) -> Tensor:
        x = F.relu(self.conv("dres0.2", F.relu(self.conv("dres0.0", volume))))
        return self.residual("dres1", x) + x

    def hourglass(self, name: str, x: Tensor, pre: Tensor | None, post: Tensor | None) -> list[Tensor]:
        down = self.conv(f"{name}.conv2", F.relu(self.conv(f"{name}.conv1.0", x, 2)))
        down = F.relu(down + post) if post is not None else F.relu(down)
        up = F.relu(self.conv(f"{name}.conv4.0", F.relu(self.conv(f"{name}.conv3.0", down, 2))))
        up = F.relu(self.doubling(f"{name}.conv5", up) + (pre if pre is not None else down))
        return [self.doubling(f"{name}.conv6", up), down, up]

    @staticmethod
    def concatenated(left: Tensor, right: Tensor, planes: int) -> Tensor:
        channels, width = left.shape[1], left.shape[-1]
        volume = left.new_zeros(left.shape[0], 2 * channels, planes, *left.shape[2:])
        for i in range(planes):
            volume[:, :channels, i, :, i:] = left[..., i:]
            volume[:, channels:, i, :, i:] = right[..., : width - i]
        return volume

    @staticmethod
    def regressed(score: Tensor, disparities: int, like: Tensor, align: bool) -> Tensor:
        full = F.interpolate(score, (disparities, *like.shape[-2:]), mode="trilinear", align_corners=align)[:, 0]
        return (full.softmax(1) * torch.arange(disparities).view(1, -1, 1, 1)).sum(1)


@pytest.fixture
def published() -> type[Published]:
    """Everything that both forward passes are put together from."""
    return Published
