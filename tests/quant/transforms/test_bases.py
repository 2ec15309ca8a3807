"""Bases on random covariances: both conditions, the bound, and what the other bases reach."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.quant.transforms.bases import distortion, elt, klt


def covariances(count: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.randn(count, 3 * count, generator=generator, dtype=torch.float64) for _ in range(2)]
    mixed = [torch.diag(torch.logspace(0, 1, count, dtype=torch.float64)) @ draw for draw in draws]
    return mixed[0] @ mixed[0].T / count, mixed[1] @ mixed[1].T / count


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_the_elt_meets_both_conditions_and_the_bound(count: int, seed: int) -> None:
    weights, gradients = covariances(count, seed)
    basis = elt(weights, gradients, ridge=0.0)
    diagonal = basis.T @ weights @ basis
    largest = float(diagonal.abs().max())
    off = diagonal - torch.diag(diagonal.diagonal())
    assert float(off.abs().max()) < 1e-10 * largest
    assert bool((diagonal.diagonal().diff() <= 0).all())
    unit = basis.T @ torch.linalg.inv(gradients) @ basis
    torch.testing.assert_close(unit, torch.eye(count, dtype=torch.float64), rtol=0, atol=1e-8)
    bound = float(((torch.linalg.slogdet(weights)[1] + torch.linalg.slogdet(gradients)[1]) / count).exp())
    assert distortion(basis, weights, gradients) == pytest.approx(bound, rel=1e-9)
    for other in (torch.eye(count, dtype=torch.float64), klt(weights)):
        assert distortion(other, weights, gradients) >= bound * (1 - 1e-9)


def test_the_klt_is_the_elt_of_gradients_that_are_alike() -> None:
    weights, _ = covariances(6, 0)
    alike = torch.eye(6, dtype=torch.float64)
    torch.testing.assert_close(elt(weights, alike).abs(), klt(weights).abs(), rtol=1e-5, atol=1e-7)
    basis = klt(weights)
    torch.testing.assert_close(basis.T @ basis, alike, rtol=0, atol=1e-12)


def test_nothing_to_go_by_gives_a_basis_all_the_same() -> None:
    zeros = torch.zeros(4, 4, dtype=torch.float64)
    for basis in (klt(zeros), elt(zeros, zeros)):
        assert bool(torch.isfinite(torch.linalg.inv(basis)).all())
