"""Integer constants of one layer: codes, multipliers, shifts and biases, from float16 steps in rational arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import effective_weight
from disparsity.quant.attach import input_quantizer, weight_quantizer
from disparsity.quant.bits import offset_grid
from disparsity.quant.grids.codes import integer_codes, weights_from_codes
from disparsity.quant.integer.fixed_point import floor_log2, multiplier_shift, round_half_up
from disparsity.quant.integer.geometry import channel_steps, largest_sums
from disparsity.quant.integer.settings import IntegerSettings

INPUT_BITS = 32
INPUT_MULTIPLIER_BITS = 31
OUTPUT_MULTIPLIER_BITS = 22
"""As many as the product of two float16 values can have."""


@dataclass(frozen=True, kw_only=True)
class InputStage:
    """From 32-bit fixed-point inputs to codes.

    Attributes:
        fraction_bits: P, of the fixed-point input.
        multiplier: M0.
        shift: S0.
        bits: b, of the codes.
        low: lowest code.
        high: highest code.
        step: the float16 step that a code stands for.

    """

    fraction_bits: int
    multiplier: int
    shift: int
    bits: int
    low: int
    high: int
    step: float


@dataclass(frozen=True, kw_only=True)
class OutputStage:
    """From accumulators to fixed-point outputs, each tuple by output channel.

    Attributes:
        fraction_bits: F, of the output.
        bits: R, width of the output.
        multipliers: M.
        shifts: S.
        biases: B, in units of the output.

    """

    fraction_bits: int
    bits: int
    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    biases: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class LayerConstants:
    """Everything that one layer computes with.

    Attributes:
        codes: integer weights in the weight's shape.
        weight_bits: width that holds them in two's complement, at least the quantizer's own.
        accumulator_bits: A.
        largest_sum: the largest size of a sum that any input can give, of any output channel.
        input: steps 1 and 2.
        output: steps 4 and 5.

    """

    codes: Tensor
    weight_bits: int
    accumulator_bits: int
    largest_sum: int
    input: InputStage
    output: OutputStage

    @property
    def worst_case_bits(self) -> int:
        """Accumulator width that no input exceeds."""
        return self.largest_sum.bit_length() + 1


def layer_constants(layer: nn.Module, settings: IntegerSettings) -> LayerConstants:
    """The constants of a layer whose weight and input are quantized.

    Raises:
        InputError: the layer's weight is in float or not on an integer grid, or its input quantizer was not calibrated.

    """
    codes, steps = integer_codes(layer)
    weights = weight_quantizer(layer)
    assert weights is not None
    if not torch.equal(weights_from_codes(codes, steps, layer), effective_weight(layer)):
        raise InputError("the weights are not integers times steps", found=f"quantizer {weights.kind}")
    entry = input_stage(layer)
    largest = max(-entry.low, entry.high)
    sums = [largest * size for size in largest_sums(layer, codes)]
    factors = [Fraction(step) * Fraction(entry.step) for step in channel_steps(layer, steps)]
    bias = cast("Tensor | None", layer.bias)
    biases = [Fraction(0)] * len(sums) if bias is None else [Fraction(value) for value in bias.tolist()]
    return LayerConstants(
        codes=codes,
        weight_bits=max(weights.bits, int(codes.abs().max()).bit_length() + 1),
        accumulator_bits=settings.accumulator_bits,
        largest_sum=max(sums),
        input=entry,
        output=output_stage(sums, factors, biases, settings.output_bits),
    )


def input_stage(layer: nn.Module) -> InputStage:
    """Steps 1 and 2 of a layer.

    Raises:
        InputError: its input quantizer was not calibrated.

    """
    quantizer = input_quantizer(layer)
    if quantizer is None or quantizer.low is None:
        raise InputError("an activation quantizer was not calibrated", remedy="run calibrate() first")
    low, high = offset_grid(quantizer.bits, quantizer.low)
    step = quantizer.step().item()
    reach = (max(-low, high) + 1) * Fraction(step)
    fraction_bits = INPUT_BITS - 3 - floor_log2(reach)
    multiplier, shift = multiplier_shift(1 / (Fraction(step) * Fraction(2) ** fraction_bits), INPUT_MULTIPLIER_BITS)
    return InputStage(
        fraction_bits=fraction_bits,
        multiplier=multiplier,
        shift=shift,
        bits=quantizer.bits,
        low=low,
        high=high,
        step=step,
    )


def output_stage(sums: list[int], factors: list[Fraction], biases: list[Fraction], bits: int) -> OutputStage:
    """Step 4 from, by channel, the largest sum, what one unit of it is worth, and the bias."""
    factors = [factor if total else Fraction(0) for factor, total in zip(factors, sums, strict=True)]
    fraction_bits = _output_fraction_bits(sums, factors, biases, bits)
    unit = Fraction(2) ** fraction_bits
    pairs = [multiplier_shift(factor * unit, OUTPUT_MULTIPLIER_BITS) for factor in factors]
    return OutputStage(
        fraction_bits=fraction_bits,
        bits=bits,
        multipliers=tuple(multiplier for multiplier, _ in pairs),
        shifts=tuple(shift for _, shift in pairs),
        biases=tuple(round_half_up(bias * unit) for bias in biases),
    )


def _output_fraction_bits(sums: list[int], factors: list[Fraction], biases: list[Fraction], bits: int) -> int:
    """As many as the largest output leaves, and as the largest factor leaves for a shift of at least one."""
    largest = max(total * factor + abs(bias) for total, factor, bias in zip(sums, factors, biases, strict=True))
    if largest == 0:
        return 0
    fits = bits - 2 - floor_log2(largest)
    if largest * Fraction(2) ** fits + 1 > 2 ** (bits - 1) - 1:  # product and bias are rounded by up to a half each
        fits -= 1
    factor = max(factors)
    return min(fits, OUTPUT_MULTIPLIER_BITS - 2 - floor_log2(factor)) if factor else fits
