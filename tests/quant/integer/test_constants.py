from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from disparsity.base.errors import InputError
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.integer.constants import input_stage, layer_constants, output_stage
from disparsity.quant.integer.settings import IntegerSettings

STEPS = st.floats(2**-20, 1024, width=16).map(Fraction)


def linear(weights: int, activations: int) -> nn.Linear:
    """One output: codes 1, -1 and 0 of step 0.5, bias 0.75; inputs of step 0.25 from code -1 on."""
    layer = nn.Linear(3, 1)
    layer.weight.data = torch.tensor([[0.5, -0.5, 0.0]])
    layer.bias.data = torch.tensor([0.75])
    attach_quantizers(nn.Sequential(layer), {"0": LayerBits(weights=weights, activations=activations)})
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    quantizer.low = -1
    quantizer.set_step(0.25)
    return layer


def test_constants_by_hand() -> None:
    """The largest sum is (1 + 1) * 2 = 4 units of 1/8; with the bias 1.25 at most, so 30 fraction bits fit 32 bits."""
    found = layer_constants(linear(2, 2), IntegerSettings())
    assert found.codes.tolist() == [[1, -1, 0]]
    assert (found.largest_sum, found.worst_case_bits) == (4, 4)
    # Reach (2 + 1) * 0.25 = 0.75, times 2^30 is below 2^30; one step is 2^28 units, and 2^30 >> 58 divides by that.
    assert (found.input.fraction_bits, found.input.multiplier, found.input.shift) == (30, 2**30, 58)
    assert (found.input.low, found.input.high, found.input.step) == (-1, 2, 0.25)
    # The unit 2^-3 has the multiplier 2^21, and the shift must be 1 at least: 23 fraction bits.
    assert (found.output.fraction_bits, found.output.multipliers, found.output.shifts) == (23, (2**21,), (1,))
    assert found.output.biases == (3 * 2**21,)


def test_few_output_bits_by_hand() -> None:
    """1.25 * 2^6 = 80 is the most that fits 8 bits."""
    found = layer_constants(linear(2, 2), IntegerSettings(output_bits=8)).output
    assert (found.fraction_bits, found.multipliers, found.shifts, found.biases) == (6, (2**21,), (18,), (48,))


@given(
    st.lists(st.tuples(st.integers(0, 2**34), STEPS, STEPS, st.floats(-1000, 1000, width=16)), min_size=1, max_size=3),
    st.integers(8, 32),
)
def test_outputs_always_fit_and_no_fraction_bit_is_left_unused(
    channels: list[tuple[int, Fraction, Fraction, float]], bits: int
) -> None:
    sums, first, second, floats = (list(column) for column in zip(*channels, strict=True))
    factors = [a * b for a, b in zip(first, second, strict=True)]
    biases = [Fraction(value) for value in floats]
    stage = output_stage(sums, factors, biases, bits)
    largest = 0
    for total, multiplier, shift, bias in zip(sums, stage.multipliers, stage.shifts, stage.biases, strict=True):
        for end in (-total, total):
            largest = max(largest, abs(((end * multiplier + 2 ** (shift - 1)) >> shift) + bias))
    assert largest <= 2 ** (bits - 1) - 1
    assert all(1 <= shift <= 62 for shift in stage.shifts)
    real = max(total * factor + abs(bias) for total, factor, bias in zip(sums, factors, biases, strict=True))
    one_more = 2 * real * Fraction(2) ** stage.fraction_bits + 1 > 2 ** (bits - 1) - 1
    assert real == 0 or one_more or 1 in stage.shifts
    for total, factor, multiplier, shift in zip(sums, factors, stage.multipliers, stage.shifts, strict=True):
        exact = factor * Fraction(2) ** stage.fraction_bits
        assert Fraction(multiplier, 2**shift) in {exact if total else 0, 0}


@pytest.mark.parametrize(("bits", "low"), [(2, -1), (8, 0), (8, -128), (8, -37), (16, -60000), (16, 0)])
@pytest.mark.parametrize("step", [2**-20, 0.0371, 1.0, 700.0])
def test_the_grid_and_a_step_beyond_fit_the_input(bits: int, low: int, step: float) -> None:
    layer = linear(2, bits)
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    quantizer.low = low
    quantizer.set_step(step)
    stage = input_stage(layer)
    beyond = (max(-low, low + 2**bits - 1) + 1) * Fraction(stage.step) * Fraction(2) ** stage.fraction_bits
    assert 2**29 <= beyond < 2**30
    assert 2**30 <= stage.multiplier < 2**31
    assert 1 <= stage.shift <= 62
    units = Fraction(stage.step) * Fraction(2) ** stage.fraction_bits
    assert abs(Fraction(stage.multiplier, 2**stage.shift) * units - 1) <= Fraction(1, 2**31)


def test_a_pruned_filter_gives_its_bias() -> None:
    stage = output_stage([0, 10], [Fraction(1), Fraction(1, 64)], [Fraction(5, 2), Fraction(0)], 32)
    assert (stage.multipliers[0], stage.shifts[0]) == (0, 1)
    assert Fraction(stage.biases[0], 2**stage.fraction_bits) == Fraction(5, 2)


def test_an_uncalibrated_layer_is_refused() -> None:
    layer = linear(2, 2)
    input_quantizer(layer).low = None  # type: ignore[union-attr]
    with pytest.raises(InputError, match="was not calibrated"):
        layer_constants(layer, IntegerSettings())


@pytest.mark.parametrize("bits", [7, 33, True, 16.0])
def test_widths_that_are_none(bits: int) -> None:
    with pytest.raises(InputError, match=r"out of range; found .*; expected 8\.\.32"):
        IntegerSettings(accumulator_bits=bits)
    with pytest.raises(InputError, match="output_bits out of range"):
        IntegerSettings(output_bits=bits)
