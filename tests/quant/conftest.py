"""A toy stereo network that uses every kind of layer that the stage has to treat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class ToyStereo(nn.Module):
    """Siamese Conv2d features, a difference volume, Conv3d, ConvTranspose3d, soft-argmin."""

    def __init__(self, levels: int = 4) -> None:
        super().__init__()
        self.levels = levels
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.filter = nn.Sequential(nn.Conv3d(6, 6, 3, padding=1), nn.BatchNorm3d(6), nn.ReLU())
        self.up = nn.ConvTranspose3d(6, 4, 3, padding=1, groups=2)
        self.up_norm = nn.BatchNorm3d(4)
        self.score = nn.Conv3d(4, 1, 3, padding=1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Disparity ``[B, H, W]`` of two images ``[B, 3, H, W]``."""
        a, b = self.features(left), self.features(right)
        volume = torch.stack([a - F.pad(b, (d, 0))[..., : b.shape[-1]] for d in range(self.levels)], dim=2)
        cost = self.score(F.relu(self.up_norm(self.up(self.filter(volume)))))[:, 0]
        disparities = torch.arange(self.levels, dtype=cost.dtype).view(1, -1, 1, 1)
        return (cost.softmax(dim=1) * disparities).sum(dim=1)


class Mask(nn.Module):
    """Multiplies by a fixed mask, as pruning does."""

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight: Tensor) -> Tensor:
        """``mask * weight``."""
        return weight * self.mask


def put_masks(network: nn.Module, kept: float = 0.5, seed: int = 0) -> dict[str, Tensor]:
    """Random masks on every layer of two or more axes; returns them by layer name."""
    generator, masks = torch.Generator().manual_seed(seed), {}
    for name, layer in list(network.named_modules()):
        weight = getattr(layer, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim > 1:
            masks[name] = torch.rand(weight.shape, generator=generator) < kept
            parametrize.register_parametrization(layer, "weight", Mask(masks[name]))
    return masks


@pytest.fixture
def masked() -> Callable[..., dict[str, Tensor]]:
    """The function that puts random masks on a network."""
    return put_masks


@pytest.fixture
def toy() -> ToyStereo:
    """A toy network whose BatchNorm statistics are not trivial, in eval mode."""
    torch.manual_seed(0)
    network = ToyStereo()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, -1.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """Left and right ``[2, 3, 8, 12]``."""
    generator = torch.Generator().manual_seed(5)
    left, right = (torch.rand(2, 3, 8, 12, generator=generator) - 0.3 for _ in range(2))
    return left, right
