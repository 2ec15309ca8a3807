"""QDQ form: quantizers as pairs of ONNX's QuantizeLinear and DequantizeLinear.

Codes of up to 8 bits lie in 8-bit integers and wider ones in 16-bit integers.

Weights have one scale per output channel. They are signed with zero point 0; but those of 8 bits are unsigned with zero
point 128: on x86 processors without VNNI, ONNX Runtime's sums of two products of unsigned activations and signed
weights saturate in 16 bits, silently. Weights of 7 bits and less still fit.

Activations have one scale and are unsigned with zero point ``-low``, so that code ``low`` is stored as 0. The container
already saturates at `low`; where it could hold more than ``2^bits`` codes, a Clip in float comes before, to the ends
of the grid. ``step * code`` of an end divided by the step rounds to that very code, so that the result is the fake
quantizer's, bit by bit.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.layers import channel_axis, effective_weight
from disparsity.quant.attach import INPUT_QUANTIZER, input_quantizer, quantized_layers, weight_quantizer
from disparsity.quant.bits import offset_grid
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.quantizers.base import ActivationQuantizer

OPSET = 21
"""The first with 16-bit QuantizeLinear and DequantizeLinear."""
_BYTE_BITS = 8
_UNSIGNED_ZERO = 128

Network = TypeVar("Network", bound=nn.Module)


class InputQdq(nn.Module):
    """An activation quantizer as Clip, QuantizeLinear and DequantizeLinear; only for the exporter, not to be run.

    Args:
        quantizer: calibrated.

    Raises:
        InputError: the quantizer was not calibrated.

    """

    observer = None
    scale: Tensor
    zero_point: Tensor

    def __init__(self, quantizer: ActivationQuantizer) -> None:
        super().__init__()
        if quantizer.low is None:
            raise InputError("an activation quantizer was not calibrated", remedy="run calibrate() first")
        low, high = offset_grid(quantizer.bits, quantizer.low)
        step = quantizer.step().float().cpu()
        container = torch.uint8 if quantizer.bits <= _BYTE_BITS else torch.uint16
        self.register_buffer("scale", step)
        self.register_buffer("zero_point", torch.tensor(-low, dtype=container))
        fills = quantizer.bits == torch.iinfo(container).bits
        self.ends = None if fills else (low * step.item(), high * step.item())

    def forward(self, values: Tensor) -> Tensor:
        """The same shape."""
        clipped = values if self.ends is None else values.clamp(*self.ends)
        codes = _node("QuantizeLinear", (clipped, self.scale, self.zero_point), self.zero_point.dtype)
        return _node("DequantizeLinear", (codes, self.scale, self.zero_point), torch.float32)


class CodedWeight(nn.Module):
    """A parametrization that ignores the float weight: integer codes behind a DequantizeLinear."""

    codes: Tensor
    scale: Tensor
    zero_point: Tensor

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        codes, steps = integer_codes(layer)
        quantizer = weight_quantizer(layer)
        assert quantizer is not None
        container = _weight_container(quantizer.levels.code_bits)
        self.axis = channel_axis(layer)
        zero = _UNSIGNED_ZERO if container == torch.uint8 else 0
        self.register_buffer("codes", (codes.cpu().int() + zero).to(container).contiguous())
        self.register_buffer("zero_point", torch.full((len(steps),), zero, dtype=container))
        self.register_buffer("scale", steps.float().cpu())

    def forward(self, _weight: Tensor) -> Tensor:
        """The weight that the exported graph computes with."""
        return _node("DequantizeLinear", (self.codes, self.scale, self.zero_point), torch.float32, axis=self.axis)


def qdq_form(network: Network) -> Network:
    """A copy on the CPU, in eval mode, without masks and quantizers, that exports with QDQ nodes.

    Weights that are masked but not quantized become plain tensors with zeros in them.

    Raises:
        InputError: an activation quantizer was not calibrated.

    """
    result = copy.deepcopy(network).cpu().eval()
    for module in list(result.modules()):
        if parametrize.is_parametrized(module, "weight"):
            _replace_weight(module)
    for layer in quantized_layers(result).values():
        quantizer = input_quantizer(layer)
        if quantizer is not None:
            layer.add_module(INPUT_QUANTIZER, InputQdq(quantizer))
    return result


@torch.no_grad()
def _replace_weight(layer: nn.Module) -> None:
    """Put one parametrization in place of all; the list itself stays, since the copied network's class is shared."""
    replacement = CodedWeight(layer) if _is_coded(layer) else nn.Identity()
    chain = cast(parametrize.ParametrizationList, cast(nn.ModuleDict, layer.parametrizations)["weight"])
    chain.original.copy_(effective_weight(layer))
    while len(chain):
        del chain[0]
    chain.append(replacement)


def _is_coded(layer: nn.Module) -> bool:
    """Whether a weight is integers times steps; a product of factors becomes a plain tensor."""
    quantizer = weight_quantizer(layer)
    return quantizer is not None and quantizer.integer


def _weight_container(bits: int) -> torch.dtype:
    if bits > _BYTE_BITS:
        return torch.int16
    return torch.uint8 if bits == _BYTE_BITS else torch.int8


def _node(operator: str, inputs: tuple[Tensor, ...], dtype: torch.dtype, **attributes: Any) -> Tensor:
    """One ONNX operator, in the shape of its first input; outside of the exporter it gives zeros."""
    return torch.onnx.ops.symbolic(operator, inputs, attributes, dtype=dtype, shape=inputs[0].shape, version=OPSET)
