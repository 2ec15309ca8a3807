"""Layer records: the work of one call of a convolution or linear layer, from its weight and its shapes."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from disparsity.base.layers import CONVOLUTIONS, TRANSPOSED, channel_axis, effective_weight, layer_kind
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.quant.attach import weight_quantizer
from disparsity.quant.bits import FLOAT_BITS, LayerBits


def layer_record(layer: nn.Module, bits: LayerBits, common: dict[str, Any], weight: Tensor | None = None) -> LayerCall:
    """The record of a call.

    Args:
        layer: convolution, transposed convolution or linear.
        bits: its widths.
        common: name, number of the call, and shapes.
        weight: in place of the layer's own effective weight.

    """
    weight, quantizer = effective_weight(layer) if weight is None else weight, weight_quantizer(layer)
    return LayerCall(
        kind=layer_kind(layer).__name__,
        weight_count=weight.numel(),
        nnz=int(torch.count_nonzero(weight)),
        nnz_per_filter=_nnz_per_filter(layer, weight),
        bias_count=layer.bias.numel() if isinstance(layer.bias, Tensor) else 0,
        weight_bits=bits.weights if quantizer is None or quantizer.integer else FLOAT_BITS,
        activation_bits=bits.activations,
        code_bits=quantizer.levels.code_bits if quantizer and quantizer.integer else 0,
        weight_uses=_weight_uses(layer, common["input_shape"], common["output_shape"]),
        fan_in=weight.numel() // weight.shape[0] if channel_axis(layer) == 0 else _transposed_fan_in(layer),
        **_geometry(layer),
        **common,
    )


def _geometry(layer: nn.Module) -> dict[str, Any]:
    if not isinstance(layer, CONVOLUTIONS + TRANSPOSED):
        return {}
    padding = layer.padding if isinstance(layer.padding, tuple) else _named_padding(layer)
    return {
        "kernel": tuple(layer.kernel_size),
        "stride": tuple(layer.stride),
        "padding": tuple(padding),
        "dilation": tuple(layer.dilation),
        "groups": layer.groups,
    }


def _named_padding(layer: nn.Module) -> tuple[int, ...]:
    kernel, dilation = cast(tuple[int, ...], layer.kernel_size), cast(tuple[int, ...], layer.dilation)
    same = layer.padding == "same"
    return tuple(d * (k - 1) // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True))


def _weight_uses(layer: nn.Module, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
    if isinstance(layer, nn.Linear):
        return math.prod(output_shape[:-1])
    axes = len(cast(tuple[int, ...], layer.kernel_size))
    shape = input_shape if isinstance(layer, TRANSPOSED) else output_shape
    batch = shape[0] if len(shape) == axes + 2 else 1
    return batch * math.prod(shape[-axes:])


def _transposed_fan_in(layer: nn.Module) -> int:
    """The most products that one output of a transposed convolution sums: taps that meet it, per axis ceil(k/s)."""
    assert isinstance(layer, TRANSPOSED)
    taps = [
        len(range(0, k, s // math.gcd(s, d)))
        for k, s, d in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
    ]
    return layer.in_channels // layer.groups * math.prod(taps)


def _nnz_per_filter(layer: nn.Module, weight: Tensor) -> tuple[int, ...]:
    """Non-zero weights of every output channel; a transposed ``[C_in, C_out/g, ...]`` weight by group."""
    nonzero = weight != 0
    if isinstance(layer, TRANSPOSED):
        grouped = nonzero.reshape(layer.groups, -1, *nonzero.shape[1:]).transpose(1, 2)
        return tuple(grouped.flatten(2).sum(2).flatten().tolist())
    return tuple(nonzero.flatten(1).sum(1).tolist())
