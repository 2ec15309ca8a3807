"""Operations on axes between two convolutions: removal changes nothing, followed or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from disparsity.stereo.channels.coupling import ChannelCoupling

Check = Callable[..., ChannelCoupling]
Operation = Callable[[Tensor, Tensor], Tensor]


FOLLOWED: dict[str, tuple[Operation, int]] = {
    "concatenation": (lambda a, b: torch.cat([a, b, a], dim=1), 18),
    "concatenation with a constant": (lambda a, _: torch.cat([a, torch.ones(2, 1, 8, 8)], dim=1), 7),
    "batches": (lambda a, b: torch.cat([a, b]).chunk(2)[1], 6),
    "shifted columns": (lambda a, b: a[..., 2:] - b[:, :, :, :-2].flip(-1), 6),
    "stack and unbind": (lambda a, b: torch.stack([a, b], dim=2).unbind(2)[0], 6),
    "stack and mean": (lambda a, b: torch.stack([a, b], dim=2).mean(2), 6),
    "stack in front": (lambda a, b: torch.stack([a, b], dim=0).sum(0), 6),
    "axes": (lambda a, b: (a.unsqueeze(0).transpose(1, 2).squeeze(0) + b.permute(1, 0, 2, 3)).transpose(0, 1), 6),
    "sum over channels": (lambda a, b: (a - b).abs().sum(1), 0),
    "zeros of the same shape": (lambda a, b: a + b + torch.zeros_like(a), 6),
}

KEPT_BY: dict[str, tuple[Operation, int, str]] = {
    "one channel": (lambda a, b: (a + b)[:, 2:3], 1, "slice"),
    "half of the channels": (lambda a, b: (a + b).chunk(2, dim=1)[0], 3, "split"),
    "a mean over channels": (lambda a, b: (a + b).mean(1, keepdim=True), 1, "mean"),
    "values in another order": (lambda a, b: (a + b).roll(2), 6, "roll"),
    "axes of size 1 that are not named": (lambda a, b: (a + b).unsqueeze(0).squeeze(), 6, "squeeze"),
    "axes changed in place": (lambda a, b: (a + b).unsqueeze_(2).squeeze_(2), 6, "unsqueeze"),
    "channels in another order": (lambda a, b: (a + b).roll(1, 1), 6, "roll"),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_channels_go_through(expect_followed: Callable[..., None], name: str) -> None:
    expect_followed(*FOLLOWED[name])


@pytest.mark.parametrize("name", KEPT_BY)
def test_channels_are_kept_and_the_operator_is_named(expect_kept: Callable[..., None], name: str) -> None:
    expect_kept(*KEPT_BY[name])


def test_concatenation_keeps_the_order(check_between: Check) -> None:
    coupling = check_between(lambda a, b: torch.cat([b, a], 1), 12)
    assert coupling.inputs["behind"] == coupling.outputs["right"] + coupling.outputs["left"]
    assert coupling.units == 12
