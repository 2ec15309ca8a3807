"""Operations without a rule, and what meets in one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.channels.coupling import KEPT, ChannelCoupling

Check = Callable[..., ChannelCoupling]
Operation = Callable[[Tensor, Tensor], Tensor]


def filled(a: Tensor, b: Tensor) -> Tensor:
    volume = torch.zeros(2, 12, 8, 8)
    volume[:, :6], volume[:, 6:] = a, b
    return volume


KEPT_BY: dict[str, tuple[Operation, int, str]] = {
    "sigmoid": (lambda a, b: torch.sigmoid(a + b), 6, "sigmoid"),
    "softmax": (lambda a, b: (a + b).softmax(1), 6, "_softmax"),
    "a view": (lambda a, b: (a + b).view(2, 6, 64).unsqueeze(2), 6, "view"),
    "channels become rows": (lambda a, b: (a + b).flatten(1, 2).unsqueeze(1), 1, "view"),
    "the largest channel": (lambda a, b: (a + b).amax(1, keepdim=True), 1, "amax"),
    "disparities as channels": (lambda a, b: (a - b).transpose(1, 2).repeat(1, 1, 1, 1)[:, :6], 6, "repeat"),
    "slice assignment": (filled, 12, "copy"),
    "matrix product": (lambda a, b: torch.einsum("bchw,bchv->bhwv", a, b), 8, "_unsafe_view"),
}


@pytest.mark.parametrize("name", KEPT_BY)
def test_channels_are_kept_and_the_operator_is_named(expect_kept: Callable[..., None], name: str) -> None:
    expect_kept(*KEPT_BY[name])


def test_equal_places_are_coupled(check_between: Check) -> None:
    coupling = check_between(lambda a, b: a + b, 6)
    assert coupling.outputs["left"] == coupling.outputs["right"] == coupling.inputs["behind"] == (0, 1, 2, 3, 4, 5)
    assert coupling.outputs["behind"] == (KEPT, KEPT)
    assert coupling.inputs["left"] == (KEPT, KEPT, KEPT)


class Attention(nn.Module):
    """A map of one channel from all channels, multiplied with all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.score = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 1, 1)
        self.behind = nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        return self.behind(self.score(features) * features)


def test_a_product_with_a_learned_map_of_one_channel(check: Check) -> None:
    coupling = check(Attention(), torch.rand(1, 3, 8, 8))
    assert coupling.outputs["features"] == coupling.inputs["score"] == coupling.inputs["behind"]
    assert coupling.outputs["score"] == (KEPT,)
    assert coupling.units == 6
