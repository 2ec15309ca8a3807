"""Weights that are stored as two integer factors, in the packed network and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.hwcost.codec.packed_network import MIXING, TRANSFORMED, FloatLayer, PackedLayer, factor_name, owner
from disparsity.quant.attach import weight_quantizer
from disparsity.quant.quantizers.transform import TransformWeight


def pack_factors(name: str, quantizer: TransformWeight) -> tuple[PackedLayer, PackedLayer]:
    """Both factors of a layer; the mixing matrix without the columns of rows that hold nothing."""
    steps = torch.ldexp(torch.ones(len(quantizer.exponents)), quantizer.exponents.long())
    live = quantizer.to_rows(quantizer.codes).any(dim=1)
    rows = PackedLayer(
        name=factor_name(name, TRANSFORMED),
        codes=_integers(quantizer.codes),
        steps=steps.half().cpu().numpy(),
        bits=max(1, int(quantizer.row_bits.max())),
        output_axis=quantizer.mixed_axis,
    )
    mixing = replace(
        rows,
        name=factor_name(name, MIXING),
        codes=_integers(quantizer.mixing * live),
        steps=np.ones(len(steps), np.float16),
        bits=quantizer.mixing_bits,
        output_axis=0,
        group=max(1, len(steps)),
    )
    return rows, mixing


@torch.no_grad()
def restore_factors(network: nn.Module, layers: Sequence[PackedLayer | FloatLayer]) -> None:
    """Give every transformed layer its stored factors; its trained weight becomes their product.

    Raises:
        KeyError: a factor is missing.

    """
    stored = {layer.name: layer for layer in layers if isinstance(layer, PackedLayer)}
    for name in dict.fromkeys(owner(layer.name) for layer in layers if owner(layer.name) != layer.name):
        layer = network.get_submodule(name)
        quantizer = weight_quantizer(layer)
        if not isinstance(quantizer, TransformWeight):
            raise KeyError(name)
        rows, mixing = stored[factor_name(name, TRANSFORMED)], stored[factor_name(name, MIXING)]
        exponents = torch.from_numpy(np.log2(rows.steps.astype(np.float64)))
        quantizer.restore(torch.from_numpy(np.array(rows.codes)), exponents, torch.from_numpy(np.array(mixing.codes)))
        trained_weight(layer).copy_(quantizer.product())


def _integers(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy().astype(np.int64)
