from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from disparsity.quant.quantizers.fake_quantize import fake_quantize

GRIDS = [(-1, 1), (-7, 7), (0, 255), (-127, 127)]


def naive(values: list[float], step: float, low: int, high: int) -> tuple[list[float], list[float], list[float]]:
    """Value, gradient to the value and gradient to the step of every element, as the paper writes them."""
    result: tuple[list[float], list[float], list[float]] = ([], [], [])
    for value in values:
        ratio = value / step
        if ratio < low:
            row = (low * step, 0.0, float(low))
        elif ratio > high:
            row = (high * step, 0.0, float(high))
        else:
            row = (round(ratio) * step, 1.0, round(ratio) - ratio)
        for column, item in zip(result, row, strict=True):
            column.append(item)
    return result


def test_by_hand() -> None:
    values = torch.tensor([0.26, -0.9, 0.0, 2.0], requires_grad=True)
    step = torch.tensor(0.5, requires_grad=True)
    quantized = fake_quantize(values, step, -1, 1, 0.5)
    quantized.backward(torch.tensor([1.0, 10.0, 100.0, 1000.0]))
    assert quantized.tolist() == [0.5, -0.5, 0.0, 0.5]
    assert values.grad is not None
    assert values.grad.tolist() == [1.0, 0.0, 100.0, 0.0]
    # (1 - 0.52) * 1 + (-1) * 10 + 0 + 1 * 1000, times the scale 0.5
    assert step.grad is not None
    assert float(step.grad) == pytest.approx(0.5 * (0.48 - 10 + 1000), rel=1e-6)


@pytest.mark.parametrize(("low", "high"), GRIDS)
@pytest.mark.parametrize("step", [0.013, 0.4, 3.0])
def test_against_a_naive_loop(low: int, high: int, step: float) -> None:
    generator = torch.Generator().manual_seed(1)
    values = (torch.randn(200, generator=generator, dtype=torch.float64) * step * high * 0.7).requires_grad_()
    steps = torch.tensor(step, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(200, generator=generator, dtype=torch.float64)
    quantized = fake_quantize(values, steps, low, high, 1.0)
    quantized.backward(upstream)
    expected, inside, to_step = naive(values.tolist(), step, low, high)
    torch.testing.assert_close(quantized, torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(values.grad, torch.tensor(inside, dtype=torch.float64) * upstream)
    total = math.fsum(a * b for a, b in zip(to_step, upstream.tolist(), strict=True))
    assert steps.grad is not None
    assert float(steps.grad) == pytest.approx(total, rel=1e-9)


def test_step_gradient_per_channel_is_that_of_each_channel_alone() -> None:
    values = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps = torch.tensor([0.1, 0.3, 0.9], dtype=torch.float64).view(3, 1, 1).requires_grad_()
    fake_quantize(values, steps, -3, 3, 1.0).sum().backward()
    assert steps.grad is not None
    for channel in range(3):
        step = float(steps.detach()[channel])
        expected = math.fsum(naive(values[channel].flatten().tolist(), step, -3, 3)[2])
        assert float(steps.grad[channel]) == pytest.approx(expected, rel=1e-9)


def test_step_gradient_is_the_slope_of_the_error_where_codes_do_not_change() -> None:
    # Inside, d(s * round(v/s))/ds of the true function is round(v/s); LSQ subtracts v/s (straight through).
    values, step = torch.tensor([0.37, -1.2], dtype=torch.float64), torch.tensor(0.25, dtype=torch.float64)
    step.requires_grad_()
    fake_quantize(values, step, -7, 7, 1.0).sum().backward()
    codes = torch.tensor([1.0, -5.0], dtype=torch.float64)
    assert step.grad is not None
    assert float(step.grad) == pytest.approx(float((codes - values / 0.25).sum()), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20),
    step=st.floats(2.0**-10, 8, width=16),
    bounds=st.sampled_from(GRIDS),
)
def test_laws(values: list[float], step: float, bounds: tuple[int, int]) -> None:
    low, high = bounds
    given_values, given_step = torch.tensor(values), torch.tensor(step)
    quantized = fake_quantize(given_values, given_step, low, high, 1.0)
    assert torch.equal(fake_quantize(quantized, given_step, low, high, 1.0), quantized)
    assert bool((quantized <= high * step).all())
    assert bool((quantized >= low * step).all())
    assert bool((quantized[given_values == 0] == 0).all())
    clipped = given_values.clamp(low * step, high * step)
    assert float((quantized - clipped).abs().max()) <= step / 2 * (1 + 1e-5) + 1e-5


@settings(max_examples=40, deadline=None)
@given(codes=st.lists(st.integers(-127, 127), min_size=1, max_size=30), step=st.floats(2.0**-20, 1000, width=16))
def test_quantizing_dequantized_codes_gives_the_codes(codes: list[int], step: float) -> None:
    values = torch.tensor(codes, dtype=torch.float32) * step
    assert torch.equal(fake_quantize(values, torch.tensor(step), -127, 127, 1.0), values)
