"""Finalisation of stage two: trained values are replaced by the values that are stored."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.quant.attach import quantized_layers, round_steps

_FLOAT16_MAX = 65504.0


@torch.no_grad()
def finalise(network: nn.Module) -> None:
    """Round steps and the biases of quantized layers to float16, in place; a float network is left as it is.

    Biases beyond the range of float16 are clamped to it.
    """
    round_steps(network)
    for layer in quantized_layers(network).values():
        if isinstance(layer.bias, Tensor):
            layer.bias.copy_(layer.bias.clamp(-_FLOAT16_MAX, _FLOAT16_MAX).half().float())
