"""Element-wise operations between two convolutions: removal changes nothing, followed or not."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.stereo.channels.coupling import ChannelCoupling

Check = Callable[..., ChannelCoupling]
Operation = Callable[[Tensor, Tensor], Tensor]


def ramp(*shape: int) -> Tensor:
    return torch.linspace(0.0, 1.0, math.prod(shape)).view(shape)


FOLLOWED: dict[str, tuple[Operation, int]] = {
    "rectifiers": (lambda a, b: F.leaky_relu(F.relu6(F.relu(a, inplace=True)) + F.silu(F.gelu(b)), 0.1), 6),
    "difference": (lambda a, b: (a - b).abs().tanh() * 2.0 / 3.0, 6),
    "product": (lambda a, b: a * b, 6),
    "powers": (lambda a, b: a.square() + b**2, 6),
    "in place": (lambda a, b: a.add_(b).clamp_(-1.0, 1.0), 6),
    "product with one map": (lambda a, _: a * ramp(1, 1, 8, 8), 6),
    "pooling": (lambda a, b: F.avg_pool2d(a, 2) + F.max_pool2d(b, 2), 6),
    "adaptive pooling": (lambda a, b: F.adaptive_avg_pool2d(a, 2) + F.adaptive_max_pool2d(b, 2), 6),
    "up-sampling": (
        lambda a, b: F.interpolate(a, scale_factor=2, mode="bilinear") + F.interpolate(b, scale_factor=2),
        6,
    ),
    "padding": (lambda a, b: F.pad(a, (1, 1)) + F.pad(b, (1, 1, 0, 0), mode="reflect"), 6),
    "warping": (lambda a, b: F.grid_sample(a + b, ramp(2, 8, 8, 2), align_corners=True), 6),
}

KEPT_BY: dict[str, tuple[Operation, int, str]] = {
    "a constant is added": (lambda a, b: a + b + 1.0, 6, "add"),
    "a map of zeros of unknown shape is added": (lambda a, b: a + b + torch.zeros(1, 6, 1, 1), 6, "add"),
    "a scale per channel": (lambda a, b: (a + b) * torch.ones(6, 1, 1), 6, "mul"),
    "limits without zero": (lambda a, b: (a + b).clamp(0.5, 2.0), 6, "clamp"),
    "padding with ones": (lambda a, b: F.pad(a + b, (1, 1), value=1.0), 6, "constant_pad_nd"),
    "channels are padded": (lambda a, b: F.pad(a + b, (0, 0, 0, 0, 1, 0)), 7, "constant_pad_nd"),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_channels_go_through(expect_followed: Callable[..., None], name: str) -> None:
    expect_followed(*FOLLOWED[name])


@pytest.mark.parametrize("name", KEPT_BY)
def test_channels_are_kept_and_the_operator_is_named(expect_kept: Callable[..., None], name: str) -> None:
    expect_kept(*KEPT_BY[name])
