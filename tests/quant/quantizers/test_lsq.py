from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.quant.grids.levels import Levels
from disparsity.quant.grids.steps import step_from_log
from disparsity.quant.quantizers.lsq import LsqActivation, LsqWeight, lsq_weight
from disparsity.quant.quantizers.settings import LSQSettings, MeanStepSettings, MSEStepSettings


def weight_with_zeros(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) > 0.7)


@pytest.mark.parametrize("bits", [2, 3, 4, 8, 12, 16])
@pytest.mark.parametrize("axis", [0, 1])
def test_weights_lie_on_the_grid_of_their_channel(bits: int, axis: int) -> None:
    weight = weight_with_zeros(4, 6, 3, 3)
    quantizer = lsq_weight(weight, bits, axis, LSQSettings())
    quantized = quantizer(weight).detach().movedim(axis, 0)
    assert quantizer.steps().shape == (weight.shape[axis],)
    for channel, step in enumerate(quantizer.steps().double().tolist()):
        codes = quantized[channel].double() / step
        torch.testing.assert_close(codes, codes.round(), rtol=0, atol=2.0**-8)
        assert float(codes.abs().max()) <= 2 ** (bits - 1) - 1 + 2.0**-8
    assert bool((quantizer(weight)[weight == 0] == 0).all())


def test_two_bits_are_ternary() -> None:
    weight = weight_with_zeros(3, 40)
    quantizer = lsq_weight(weight, 2, 0, LSQSettings())
    codes = quantizer(weight) / quantizer.steps().float()[:, None]
    assert set(codes.unique().tolist()) == {-1.0, 0.0, 1.0}


@pytest.mark.parametrize("initialisation", [MSEStepSettings(), MeanStepSettings()])
def test_a_pruned_channel_has_a_positive_step_and_a_finite_gradient(initialisation: Any) -> None:
    weight = weight_with_zeros(3, 8)
    weight[1] = 0
    quantizer = lsq_weight(weight, 4, 0, LSQSettings(initialisation=initialisation))
    weight.requires_grad_()
    quantizer(weight).square().sum().backward()
    assert bool((quantizer.steps() > 0).all())
    assert quantizer.log_step.grad is not None
    assert bool(torch.isfinite(quantizer.log_step.grad).all())
    assert float(quantizer.log_step.grad[1]) == 0
    assert weight.grad is not None
    assert bool(torch.isfinite(weight.grad).all())


def test_a_single_weight_per_channel_is_kept() -> None:
    weight = torch.tensor([[0.0, 0.37], [-2.5, 0.0]])
    quantizer = lsq_weight(weight, 4, 0, LSQSettings())
    torch.testing.assert_close(quantizer(weight), weight, rtol=2.0**-11, atol=0)


def test_log_step_gradient_is_the_scaled_lsq_gradient_times_the_step() -> None:
    weight, step, high = torch.tensor([[0.3, 0.0, -0.8, 5.0]]), 0.25, 7
    quantizer = LsqWeight(torch.tensor([step]), levels=Levels(4), axis=0, channels=1)
    quantizer(weight).sum().backward()
    to_step = (round(1.2) - 1.2) + 0 + (round(-3.2) + 3.2) + high
    assert quantizer.log_step.grad is not None
    # three weights are not zero
    assert float(quantizer.log_step.grad) == pytest.approx(to_step * step / (3 * high) ** 0.5, rel=1e-5)


def test_negative_zero_never_appears() -> None:
    weight = torch.tensor([[-1e-4, -0.0, 1.0]])
    quantized = lsq_weight(weight, 2, 0, LSQSettings())(weight)
    assert not bool(torch.signbit(quantized).any())


def test_rounding_steps_changes_no_output_and_is_idempotent() -> None:
    weight = weight_with_zeros(5, 30)
    quantizer = lsq_weight(weight, 4, 0, LSQSettings())
    with torch.no_grad():
        quantizer.log_step.add_(torch.randn(5) * 0.3)
    before, steps = quantizer(weight), quantizer.steps()
    quantizer.round_steps()
    once = quantizer.log_step.detach().clone()
    quantizer.round_steps()
    assert torch.equal(quantizer(weight), before)
    assert torch.equal(quantizer.steps(), steps)
    assert torch.equal(quantizer.log_step, once)


def test_a_step_survives_many_large_updates() -> None:
    weight = weight_with_zeros(2, 50)
    quantizer = lsq_weight(weight, 3, 0, LSQSettings())
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (quantizer(weight) - 100 * weight).square().sum().backward()
        optimizer.step()
        steps = step_from_log(quantizer.log_step)
        assert bool((steps > 0).all())
        assert bool(torch.isfinite(steps).all())


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        lsq_weight(torch.tensor([[1.0, float("nan")]]), 4, 0, LSQSettings())


def test_activation_refuses_before_its_calibration() -> None:
    with pytest.raises(InputError, match="not calibrated"):
        LsqActivation(bits=8)(torch.ones(1, 2))


@pytest.mark.parametrize(("low", "expected"), [(0, [0.0, 0.5, 7.5]), (-8, [-4.0, 0.5, 3.5]), (-3, [-1.5, 0.5, 6.0])])
def test_activation_grids(low: int, expected: list[float]) -> None:
    quantizer = LsqActivation(bits=4, low=low)
    quantizer.set_step(0.5)
    assert quantizer(torch.tensor([[-9.0, 0.4, 9.0]])).tolist() == [expected]


def test_activation_gradient_does_not_depend_on_the_batch_size_through_its_scale() -> None:
    values = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)).relu()
    gradients = []
    for copies in (1, 4):
        quantizer = LsqActivation(bits=4, low=0)
        quantizer.set_step(0.1)
        quantizer(values.repeat(copies, 1, 1, 1)).sum().backward()
        assert quantizer.log_step.grad is not None
        gradients.append(float(quantizer.log_step.grad) / copies)
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-4)


def test_copies_are_independent() -> None:
    quantizer = LsqActivation(bits=4, low=0)
    other: nn.Module = copy.deepcopy(quantizer)
    quantizer.set_step(0.5)
    assert other.log_step.tolist() == 0
