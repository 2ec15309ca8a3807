"""Distributions over disparities: what is watched, and the divergence against loops in plain Python."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.distributions import distribution_parts, divergence, observed_similarities
from disparsity.stereo.regression import SoftArgmin, UpsampledSoftArgmax


class Two(nn.Module):
    """Two scales by one soft-argmin, one head with up-sampling, and one of steps from an estimate."""

    def __init__(self) -> None:
        super().__init__()
        self.scales, self.steps = SoftArgmin(), SoftArgmin(relative=True)
        self.head = UpsampledSoftArgmax(8, align_corners=False)

    def forward(self, cost: Tensor) -> Tensor:
        coarse = self.scales(cost[..., ::2, ::2]).mean() + self.scales(cost).mean()
        return coarse + self.steps(cost).mean() + self.head(cost[:, None], torch.zeros(1, 3, 8, 16)).mean()


def test_every_call_is_seen_in_order_as_a_similarity() -> None:
    torch.manual_seed(0)
    network, cost = Two(), torch.randn(1, 4, 4, 6, requires_grad=True)
    with observed_similarities(network) as found:
        network(cost)
    network(cost)
    assert [tuple(item.shape) for item in found] == [(1, 4, 2, 3), (1, 4, 4, 6), (1, 4, 4, 6)]
    assert torch.equal(found[1], -cost)
    assert torch.equal(found[2], cost)
    assert all(item.requires_grad for item in found)
    assert len(distribution_parts(network)) == 2


def test_the_expectation_of_what_is_seen_is_the_disparity() -> None:
    torch.manual_seed(0)
    part, cost = SoftArgmin(), torch.randn(1, 5, 2, 3)
    with observed_similarities(part) as found:
        index = part(cost)
    expected = (torch.softmax(found[0].double(), dim=1) * torch.arange(5).view(1, 5, 1, 1)).sum(dim=1)
    torch.testing.assert_close(index.double(), expected)


def test_divergence_equals_the_loop_and_counts_shares_of_trusted_pixels() -> None:
    torch.manual_seed(0)
    own, goal = 2 * torch.randn(2, 3, 2, 2), 2 * torch.randn(2, 3, 2, 2)
    trusted = torch.ones(2, 4, 4, dtype=torch.bool)
    trusted[0, :2, :2] = False  # a cell that does not count
    trusted[1, 0, 0] = False  # a cell of which three of four pixels count
    shares = torch.ones(2, 2, 2)
    shares[0, 0, 0], shares[1, 0, 0] = 0.0, 0.75
    total = 0.0
    for b in range(2):
        for y in range(2):
            for x in range(2):
                mine, theirs = (_softmax(item[b, :, y, x].tolist()) for item in (own, goal))
                cell = sum(q * math.log(q / p) for p, q in zip(mine, theirs, strict=True))
                total += cell * float(shares[b, y, x])
    assert float(divergence([own], [goal], trusted)) == pytest.approx(total / float(shares.sum()), rel=1e-5)


def test_volumes_are_averaged_and_paired_from_the_finest() -> None:
    torch.manual_seed(0)
    trusted = torch.ones(1, 4, 4, dtype=torch.bool)
    coarse, fine = torch.randn(1, 3, 2, 2), torch.randn(1, 5, 4, 4)
    goals = [torch.randn(1, 3, 2, 2), torch.randn(1, 5, 4, 4)]
    apart = [float(divergence([mine], [goal], trusted)) for mine, goal in zip((coarse, fine), goals, strict=True)]
    assert float(divergence([coarse, fine], goals, trusted)) == pytest.approx(sum(apart) / 2)
    assert float(divergence([fine], goals, trusted)) == pytest.approx(apart[1])
    assert float(divergence([coarse, fine], goals[1:], trusted)) == pytest.approx(apart[1])


def test_equal_distributions_and_untrusted_pixels_cost_nothing() -> None:
    volume = torch.randn(1, 3, 2, 2)
    everywhere = torch.ones(1, 4, 4, dtype=torch.bool)
    assert float(divergence([volume + 7.0], [volume], everywhere)) == pytest.approx(0.0, abs=1e-6)
    assert float(divergence([volume], [2 * volume], ~everywhere)) == 0.0


def _softmax(values: list[float]) -> list[float]:
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]
