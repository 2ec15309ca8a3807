"""Parity of integer layers with the network's own layers, on the inputs of the golden vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import TRANSPOSED
from disparsity.export.rtl.calls import GoldenCall
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.fixed_point import to_float

_TOLERANCE = 0.02
"""Accepted mean difference, as a fraction of the outputs' mean size: a value beside a tie may get the other code,
which changes few outputs by one step of the input. Other weights or another padding change all of them."""


@torch.no_grad()
def check_own_layer(own: nn.Module, layer: IntegerConvolution, call: GoldenCall) -> None:
    """Compare a call with what the layer that it stands for computes itself, forward pass and hooks included.

    Args:
        own: the quantized layer, in eval mode on the CPU.
        layer: its integer form.
        call: of the integer form.

    Raises:
        InputError: the two differ by more than rounding explains.

    """
    inputs = to_float(torch.from_numpy(call.inputs), layer.constants.input.fraction_bits)
    found = to_float(torch.from_numpy(call.outputs), layer.constants.output.fraction_bits)
    more: dict[str, Any] = {"output_size": list(found.shape[2:])} if isinstance(own, TRANSPOSED) else {}
    expected = own(inputs, **more)
    same = expected.shape == found.shape
    difference = float((expected - found).abs().mean()) if same else float("inf")
    size = float(expected.abs().mean())
    if not difference <= _TOLERANCE * size + torch.finfo(torch.float32).eps:
        raise InputError(
            "the integer layer does not compute what the network's own layer does",
            where=call.layer,
            found=f"a mean difference of {difference:.3g}",
            expected=f"at most {_TOLERANCE:.0%} of {size:.3g}",
            remedy="remove hooks from the layer, or leave it in float",
        )
