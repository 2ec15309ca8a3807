from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm

from disparsity.base.layers import BATCH_NORMS, channel_axis, is_plain, quantizable_layers


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (nn.Linear(3, 5), 5),
        (nn.Conv1d(3, 5, 1), 5),
        (nn.Conv2d(4, 6, 1, groups=2), 6),
        (nn.Conv3d(3, 5, 1), 5),
        (nn.ConvTranspose1d(3, 5, 1), 5),
        (nn.ConvTranspose2d(3, 5, 1), 5),
        (nn.ConvTranspose3d(4, 6, 1, groups=2), 3),
    ],
)
def test_channel_axis(layer: nn.Module, channels: int) -> None:
    assert layer.weight.shape[channel_axis(layer)] == channels
    assert list(quantizable_layers(nn.Sequential(layer, nn.BatchNorm2d(2), nn.ReLU()))) == ["0"]


class Standardized(nn.Conv2d):
    """Weight standardization, as in Qiao et al., arXiv 1903.10520."""

    def forward(self, values: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(values, weight, self.bias)


class SamePadding(nn.Conv2d):
    """TensorFlow's padding, which the layer's own attributes do not tell."""

    def _conv_forward(self, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(F.pad(values, (0, 1, 0, 1)), weight, bias)


class Equalized(nn.Linear):
    """A weight that is computed by a property."""

    def __init__(self) -> None:
        super().__init__(3, 3)
        self.stored = nn.Parameter(torch.rand(3, 3))
        del self._parameters["weight"]

    @property
    def weight(self) -> Tensor:
        return self.stored * 0.1

    @weight.setter
    def weight(self, value: Tensor) -> None:
        pass


class NormAct(nn.BatchNorm2d):
    """As timm builds its backbones."""

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values).relu()


class Renamed(nn.Conv2d):
    """Another name and the same forward pass."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 3, padding=1)


def replaced(layer: nn.Module) -> nn.Module:
    layer.forward = lambda values: values
    return layer


@pytest.mark.parametrize(
    ("layer", "plain"),
    [
        (nn.Conv2d(3, 3, 1), True),
        (nn.Conv2d(3, 3, 3, padding_mode="reflect"), True),
        (Renamed(3), True),
        (nn.modules.linear.NonDynamicallyQuantizableLinear(3, 3), True),
        (parametrizations.weight_norm(nn.Conv2d(3, 3, 1)), True),
        (spectral_norm(nn.Conv2d(3, 3, 1)), False),
        (prune.l1_unstructured(nn.Conv2d(3, 3, 1), "weight", 0.5), False),
        (Standardized(3, 3, 1), False),
        (SamePadding(3, 3, 1), False),
        (Equalized(), False),
        (replaced(nn.Conv2d(3, 3, 1)), False),
        (nn.BatchNorm2d(3), False),
        (nn.ReLU(), False),
    ],
)
def test_only_what_computes_as_torchs_layer_is_plain(layer: nn.Module, plain: bool) -> None:
    assert is_plain(layer) is plain
    assert list(quantizable_layers(nn.Sequential(layer))) == ["0"] * plain


def test_a_norm_with_an_activation_inside_is_no_plain_norm() -> None:
    assert is_plain(nn.BatchNorm2d(3), BATCH_NORMS)
    assert not is_plain(NormAct(3), BATCH_NORMS)
