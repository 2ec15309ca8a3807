"""ResNet-20 for small images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STAGES = (16, 32, 64)
BLOCKS = 3


class Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm, and a shortcut without parameters (option A).

    Where the block halves the image, its input is taken at every second pixel, and channels of zeros are added.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.added = outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, C', H / stride, W / stride]``."""
        inner = F.relu(self.norm1(self.conv1(images)))
        shortcut = images[:, :, :: self.stride, :: self.stride]
        return F.relu(self.norm2(self.conv2(inner)) + F.pad(shortcut, (0, 0, 0, 0, 0, self.added)))


class ResNet20(nn.Module):
    """The CIFAR ResNet with n = 3, shortcuts of option A, weights from He's normal distribution.

    Source: He et al., CVPR 2016, section 4.2: 20 layers, 0.27 M parameters for 32x32 RGB images of ten classes.

    Args:
        channels: of the images.
        classes: of the labels.

    """

    def __init__(self, channels: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, STAGES[0], 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(STAGES[0])
        widths = [width for width in STAGES for _ in range(BLOCKS)]
        before = [STAGES[0], *widths[:-1]]
        self.blocks = nn.Sequential(
            *(Block(b, w, 1 if w == b else 2) for b, w in zip(before, widths, strict=True)),
        )
        self.classify = nn.Linear(STAGES[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``[B, classes]`` of images ``[B, C, H, W]``."""
        features = self.blocks(F.relu(self.norm(self.conv(images))))
        return self.classify(features.mean((2, 3)))


def seeded_resnet20(channels: int, classes: int, seed: int) -> ResNet20:
    """The network with the weights of a seed; torch's generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet20(channels, classes)
