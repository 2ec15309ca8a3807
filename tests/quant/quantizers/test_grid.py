"""All quantizers on integer codes: shared steps, ranges, degenerate weights, gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.quant.quantizers.base import WeightQuantizer
from disparsity.quant.quantizers.grid import rows_of_groups
from disparsity.quant.quantizers.lsq import LsqActivation, lsq_weight
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import (
    LSQSettings,
    MaxStepSettings,
    PercentileStepSettings,
    PerChannelSettings,
    PerGroupSettings,
    PerTensorSettings,
    UniformSettings,
)
from disparsity.quant.quantizers.uniform import uniform_weight

GRID = ["lsq", "uniform", "power_of_two", "additive_power_of_two"]
CASES = [(name, bits) for name in GRID for bits in range(1, 9) if bits in QUANTIZERS[name].settings.widths]
SHAPES = [((6, 4, 3, 3), 0), ((4, 2, 3, 3, 3), 0), ((4, 6, 3, 3, 3), 1), ((3, 5, 4, 4), 1), ((5, 7), 0)]
"""Conv2d, Conv3d, ConvTranspose3d, ConvTranspose2d, Linear."""


def random_weight(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) > 0.5)


def build(name: str, weight: Tensor, bits: int, axis: int = 0, fitted: bool = True, **settings: Any) -> WeightQuantizer:
    return QUANTIZERS[name].weight(weight, bits, axis, QUANTIZERS[name].settings(**settings), fitted)


@pytest.mark.parametrize(("name", "bits"), CASES)
def test_weights_are_codes_times_steps_and_zero_stays_zero(name: str, bits: int) -> None:
    for shape, axis in SHAPES:
        for granularity in (PerTensorSettings(), PerChannelSettings(), PerGroupSettings(size=2)):
            weight = random_weight(shape)
            quantizer = build(name, weight, bits, axis, granularity=granularity)
            quantized = quantizer(weight).detach()
            steps = quantizer.steps().float()
            assert steps.shape == (shape[axis],)
            assert len(steps.unique()) <= {"per_tensor": 1, "per_group": -(-shape[axis] // 2)}.get(granularity.name, 99)
            codes = quantized.movedim(axis, -1) / steps
            allowed = torch.tensor([s * size for size in quantizer.levels.sizes for s in (-1, 1)])
            assert bool(torch.isin(codes.round(), allowed).all())
            assert torch.equal((codes.round() * steps).movedim(-1, axis), quantized)
            assert bool((quantized[weight == 0] == 0).all())
            torch.testing.assert_close(quantizer(quantized).detach(), quantized, rtol=0, atol=0)


@pytest.mark.parametrize("name", GRID)
def test_a_larger_group_has_the_step_of_its_members_put_together(name: str) -> None:
    weight = random_weight((5, 4, 3, 3))
    bits = QUANTIZERS[name].settings.widths[1]
    grouped = build(name, weight, bits, granularity=PerGroupSettings(size=2)).steps()
    for start in (0, 2, 4):
        alone = build(name, weight[start : start + 2].reshape(1, -1), bits).steps()
        assert torch.equal(grouped[start : start + 2], alone.expand(len(grouped[start : start + 2])))


def test_rows_of_groups_by_hand() -> None:
    weight = torch.arange(12.0).view(2, 3, 2)
    assert rows_of_groups(weight, 1, 2).tolist() == [[0, 1, 6, 7, 2, 3, 8, 9], [4, 5, 10, 11, 0, 0, 0, 0]]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_ranges_of_weights_by_hand(bits: int) -> None:
    values = np.random.default_rng(0).normal(size=999)
    row = torch.tensor(np.concatenate([values, np.zeros(500)])[None], dtype=torch.float32)
    high = max(1, 2 ** (bits - 1) - 1)
    sizes = np.sort(np.abs(values))
    clipped = PercentileStepSettings(percentile=90.0)
    for rule, bound in ((MaxStepSettings(), sizes[-1]), (clipped, sizes[math.ceil(999 * 0.9) - 1])):
        step = build("uniform", row, bits, initialisation=rule).steps()
        assert float(step) == pytest.approx(bound / high, rel=2**-10)


def test_the_step_of_one_bit_is_the_mean_magnitude() -> None:
    # min over s of sum (|w| - s)^2: Rastegari et al., XNOR-Net, ECCV 2016, equation 6
    weight = random_weight((3, 50))
    expected = [row[row != 0].abs().mean() for row in weight]
    torch.testing.assert_close(build("lsq", weight, 1).steps().float(), torch.stack(expected), rtol=2**-10, atol=0)


def test_fixed_steps_get_no_gradient_and_learned_ones_do() -> None:
    weight = random_weight((3, 8)).requires_grad_()
    fixed, learned = uniform_weight(weight, 4, 0, UniformSettings()), lsq_weight(weight, 4, 0, LSQSettings())
    assert list(fixed.parameters()) == []
    assert set(fixed.state_dict()) == set(learned.state_dict())
    (fixed(weight) + learned(weight)).square().sum().backward()
    assert learned.log_step.grad is not None
    assert fixed.log_step.grad is None


@pytest.mark.parametrize("name", ["power_of_two", "additive_power_of_two", "lsq"])
def test_the_step_gradient_where_the_estimator_is_exact(name: str) -> None:
    # Beyond the largest level the output is high * step: its derivative is no estimate, also by finite differences.
    weight = torch.tensor([[50.0, -70.0, 90.0]])
    quantizer = build(name, weight, 4, fitted=False)
    high = quantizer.levels.high
    weight = weight * high
    quantizer(weight).sum().backward()
    (parameter,) = quantizer.parameters()
    assert parameter.grad is not None
    difference = 2.0**-6
    outputs = []
    for side in (1, -1):
        shifted = build(name, weight, 4, fitted=False)
        shifted.set_steps(torch.tensor([1.0 + side * difference]))
        outputs.append(float(shifted(weight).detach().sum()))
    slope = (outputs[0] - outputs[1]) / (2 * difference)
    assert float(parameter.grad) == pytest.approx(slope / (3 * high) ** 0.5, rel=1e-3)


def test_the_gradient_of_a_power_of_two_by_hand() -> None:
    weight = torch.tensor([[3.2, -0.4, 0.0, 5.0]], requires_grad=True)
    quantizer = build("power_of_two", weight, 3, fitted=False)  # levels 0, 1, 2, 4
    quantized = quantizer(weight)
    assert quantized.tolist() == [[4.0, 0.0, 0.0, 4.0]]
    quantized.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1.0, 1.0, 1.0, 0.0]]
    (parameter,) = quantizer.parameters()
    assert parameter.grad is not None
    assert float(parameter.grad) == pytest.approx(((4 - 3.2) + (0 + 0.4) + 0 + 4) / (3 * 4) ** 0.5, rel=1e-6)


def degenerate(name: str) -> list[dict[str, Any]]:
    """Every rule for the first steps that a quantizer has, one step for the whole tensor."""
    key = {"ternary": "scale", "scale_clip": None, "transform": None}.get(name, "initialisation")
    shared = {} if name == "transform" else {"granularity": PerTensorSettings()}
    rules = ("mse", "max", "percentile", "mean", *(["norm"] if name == "ternary" else []))
    return [shared | {key: rule} for rule in rules] if key else [shared]


@pytest.mark.parametrize("name", QUANTIZERS)
def test_degenerate_weights(name: str) -> None:
    bits = QUANTIZERS[name].settings.widths[-1]
    for weight in (torch.zeros(2, 3), torch.full((2, 3), 0.25), torch.tensor([[0.7]]), torch.full((2, 3), 1e-9)):
        for settings in degenerate(name):
            quantizer = build(name, weight, bits, **settings)
            quantized = quantizer(weight)
            assert bool(torch.isfinite(quantized).all())
            assert not quantizer.integer or bool((quantizer.steps() > 0).all())
            assert bool((quantized[weight == 0] == 0).all())
    for bad in (math.inf, math.nan):
        with pytest.raises(InputError, match="not finite"):
            build(name, torch.tensor([[1.0, bad]]), bits)


@pytest.mark.parametrize(("low", "expected"), [(0, [0.0, 0.0, 0.5]), (-1, [-0.5, 0.0, 0.0])])
def test_one_bit_of_an_activation_has_one_side(low: int, expected: list[float]) -> None:
    quantizer = LsqActivation(bits=1, low=low)
    quantizer.set_step(0.5)
    values = torch.tensor([[-9.0, 0.2, 9.0]], requires_grad=True)
    assert quantizer(values).tolist() == [expected]
    quantizer(values).sum().backward()
    assert values.grad is not None
