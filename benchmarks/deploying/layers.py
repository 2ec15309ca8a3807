"""Integer execution layer by layer: every layer of a network and its integer form on the very same inputs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deploying.networks import Deployed
from disparsity.datasets.uri import open_data
from disparsity.quant.attach import input_quantizer, quantized_layers
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.network import float_layers, integer_form, integer_layers

CROP = (128, 256)


@dataclass
class _Compared:
    """What the calls of all layers came to."""

    codes: int = 0
    other_codes: int = 0
    largest: float = 0.0


@torch.inference_mode()
def by_layer(found: Deployed) -> dict[str, Any]:
    """Codes that differ, the largest difference of an output, and accumulator widths, of one crop."""
    integer = integer_form(found.network)
    integers, compared = integer_layers(integer), _Compared()
    handles = []
    for name, layer in quantized_layers(found.network).items():
        inputs: list[Tensor] = []
        handles.append(layer.register_forward_pre_hook(functools.partial(_remember, inputs), prepend=True))
        handles.append(layer.register_forward_hook(functools.partial(_compare, integers[name], inputs, compared)))
    sample = open_data(found.uri)[0]
    crop = [view[None, :, : CROP[0], : CROP[1]] for view in (sample.left, sample.right)]
    found.network(*crop)
    for handle in handles:
        handle.remove()
    integer(*crop)
    return {
        "layers": len(integers),
        "layers_in_float": len(float_layers(integer)),
        "codes": compared.codes,
        "other_codes_per_million": 1e6 * compared.other_codes / compared.codes,
        "largest_difference": compared.largest,
        "accumulator_bits_worst_case": max(each.constants.worst_case_bits for each in integers.values()),
        "accumulator_bits_seen": max(each.largest_seen.bit_length() + 1 for each in integers.values()),
    }


def _remember(inputs: list[Tensor], layer: nn.Module, given: tuple[Any, ...]) -> None:
    del layer
    inputs[:] = [given[0].clone()]


def _compare(
    integer: IntegerConvolution, inputs: list[Tensor], compared: _Compared, layer: nn.Module, given: Any, output: Tensor
) -> None:
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    codes = (given[0] / quantizer.step().float()).round().long()
    compared.codes += codes.numel()
    compared.other_codes += int((codes != integer.input_codes(integer.enter(inputs[0]))).sum())
    # on the fake quantizer's codes, so that only sums and rescaling differ
    exact = integer.rescale(integer.accumulate(codes)).double() * 2.0**-integer.constants.output.fraction_bits
    compared.largest = max(compared.largest, float((exact - output).abs().max() / output.abs().max()))
