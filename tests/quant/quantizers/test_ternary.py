"""Ternary weights: projections against closed forms, the estimator against finite differences of what it stands for."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import Tensor

from disparsity.quant.quantizers.settings import MSEStepSettings, NormStepSettings, PerGroupSettings, TernarySettings
from disparsity.quant.quantizers.ternary import TernaryWeight, ternary_weight


def pruned(*shape: int, kept: float = 0.4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) < kept)


def build(weight: Tensor, **settings: object) -> TernaryWeight:
    """As published, unless told otherwise: no threshold, norms kept."""
    chosen = {"threshold": 0.0, "scale": NormStepSettings(), **settings}
    return ternary_weight(weight, 2, 0, TernarySettings(**chosen))  # type: ignore[arg-type]


def test_the_projection_keeps_every_filters_norm_and_all_signs() -> None:
    weight = pruned(5, 40)
    quantized = build(weight)(weight).detach()
    assert torch.equal(quantized.sign(), weight.sign())
    torch.testing.assert_close(quantized.norm(dim=1), weight.norm(dim=1), rtol=2**-10, atol=0)


def test_the_least_squares_scale_is_the_mean_magnitude() -> None:
    weight = pruned(5, 40)
    expected = torch.stack([row[row != 0].abs().mean() for row in weight])
    found = build(weight, scale=MSEStepSettings()).steps().float()
    torch.testing.assert_close(found, expected, rtol=2**-10, atol=0)


def test_the_threshold_by_hand() -> None:
    weight = torch.tensor([[2.0, -1.0, 0.3, 0.0, -0.7]])  # mean magnitude of the four: 1; threshold 0.7
    quantized = build(weight, threshold=0.7, scale=MSEStepSettings())(weight).detach()
    assert quantized.sign().tolist() == [[1, -1, 0, 0, -1]]
    assert float(quantized.max()) == pytest.approx((2 + 1 + 0.7) / 3, rel=2**-10)


def test_the_defaults_round_better_than_the_published_form() -> None:
    weight = pruned(6, 60)
    chosen = ternary_weight(weight, 2, 0, TernarySettings())(weight).detach()
    published = build(weight)(weight).detach()
    assert float((chosen - weight).norm()) < 0.8 * float((published - weight).norm())


@pytest.mark.parametrize(("density", "expected"), [(0.1, 0.984), (0.05, 0.990), (0.01, 0.995)])
def test_at_extreme_sparsity_little_is_lost(density: float, expected: float) -> None:
    # cos(u, sign u) of what magnitude pruning leaves of a Gaussian: E|x| / sqrt(E x^2) over the tail
    weight = torch.randn(1, 400_000, generator=torch.Generator().manual_seed(0))
    tail = float(stats.norm.isf(density / 2))
    mean = 2 * stats.norm.pdf(tail) / density
    square = 1 + 2 * tail * stats.norm.pdf(tail) / density
    kept = weight * (weight.abs() > tail)
    cosine = float(torch.nn.functional.cosine_similarity(build(kept)(kept).detach(), kept))
    assert cosine == pytest.approx(mean / math.sqrt(square), abs=2e-3)
    assert cosine == pytest.approx(expected, abs=2e-3)


def test_the_weights_gradient_is_that_of_a_filter_on_the_sphere() -> None:
    weight = pruned(3, 12).double().requires_grad_()
    quantizer = build(weight.detach().float()).double()
    upstream = torch.randn(3, 12, generator=torch.Generator().manual_seed(1)).double()
    (quantizer(weight) * upstream).sum().backward()
    steps, counts = quantizer.steps().double(), (weight != 0).sum(dim=1)

    def on_the_sphere(values: Tensor) -> Tensor:
        """A filter of the result's norm that points where `values` does."""
        unit = values / values.norm(dim=1, keepdim=True)
        return (unit * (steps * counts.sqrt())[:, None] * upstream).sum()

    difference = 1e-6
    for row in range(3):
        for column in range(12):
            shift = torch.zeros_like(weight)
            shift[row, column] = difference
            slope = (on_the_sphere(weight.detach() + shift) - on_the_sphere(weight.detach() - shift)) / (2 * difference)
            assert weight.grad is not None
            assert float(weight.grad[row, column]) == pytest.approx(float(slope), abs=1e-6)
    assert weight.grad is not None
    torch.testing.assert_close((weight.grad * weight).sum(dim=1), torch.zeros(3, dtype=torch.double), rtol=0, atol=1e-9)


def test_the_scales_gradient_is_exact() -> None:
    weight = pruned(2, 9)
    quantizer = build(weight)
    upstream = torch.randn(2, 9, generator=torch.Generator().manual_seed(1))
    (quantizer(weight) * upstream).sum().backward()
    expected = (weight.sign() * upstream).sum(dim=1) * quantizer.steps().float()
    assert quantizer.log_step.grad is not None
    torch.testing.assert_close(quantizer.log_step.grad, expected)


def test_an_empty_filter_and_a_single_weight() -> None:
    weight = torch.tensor([[0.0, 0.0], [0.0, -0.3]], requires_grad=True)
    quantizer = build(weight)
    quantized = quantizer(weight)
    torch.testing.assert_close(quantized.detach(), weight.detach(), rtol=2**-11, atol=0)
    quantized.sum().backward()
    assert weight.grad is not None
    assert bool(torch.isfinite(weight.grad).all())
    assert quantizer.log_step.grad is not None
    assert bool(torch.isfinite(quantizer.log_step.grad).all())


def test_filters_that_share_a_scale_are_one_filter() -> None:
    weight = pruned(4, 10)
    together = build(weight, granularity=PerGroupSettings(size=2))(weight)
    alone = build(weight.view(2, 20))(weight.view(2, 20)).view(4, 10)
    assert torch.equal(together, alone)
