"""The wrapper around a network: preprocessing, padding at the top and on the right, cropping, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.spec import NetworkSpec

SPEC = NetworkSpec(
    name="probe", settings={}, divisor=8, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1.0), max_disparity=8, protected=()
)


class Probe(StereoNetwork):
    """Gives back the first channel of what it is shown."""

    seen: Tensor

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        self.seen = left
        return left[:, 0], right[:, 2]


def test_normalises_then_pads_with_zeros_at_the_top_and_on_the_right() -> None:
    torch.manual_seed(0)
    probe, left, right = Probe(SPEC), torch.rand(2, 3, 13, 21), torch.rand(2, 3, 13, 21)
    coarse, fine = probe(left, right)
    expected = (left - torch.tensor(SPEC.mean).view(3, 1, 1)) / torch.tensor(SPEC.std).view(3, 1, 1)
    assert probe.seen.shape == (2, 3, 16, 24)
    assert bool((probe.seen[:, :, :3] == 0).all())
    assert bool((probe.seen[..., 21:] == 0).all())
    torch.testing.assert_close(probe.seen[:, :, 3:, :21], expected)
    torch.testing.assert_close(coarse, expected[:, 0])
    torch.testing.assert_close(fine, right[:, 2] - 0.3)


def test_divisible_sizes_are_not_padded() -> None:
    probe, view = Probe(SPEC), torch.rand(1, 3, 16, 8)
    probe(view, view)
    assert probe.seen.shape == view.shape


@pytest.mark.parametrize(
    ("left", "right"),
    [((1, 3, 16, 16), (1, 3, 16, 24)), ((3, 16, 16), (3, 16, 16)), ((1, 1, 16, 16), (1, 1, 16, 16))],
)
def test_refuses_views_that_do_not_match(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"two views do not match; found left \(.*expected two tensors \[B, 3, H, W\]"):
        Probe(SPEC)(torch.zeros(left), torch.zeros(right))


def test_preprocessing_is_no_part_of_the_state() -> None:
    assert Probe(SPEC).state_dict() == {}
