"""Switch between dense and sparse computation of a pruned network's convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.layers import is_plain, trained_weight
from disparsity.finetune.sparse.convolution import sparse_convolution
from disparsity.finetune.sparse.taps import Geometry, Taps
from disparsity.pruning.masks import mask_modules

WORTHWHILE_DENSITY = 0.4
"""Above this fraction of non-zero weights the library's dense kernels are faster (benchmarks/gpu.py)."""

_VECTOR = 8
"""Dense kernels compute this many output channels at once, needed or not (float32 in 256 bits)."""


def switch_on(network: nn.Module, most: float = WORTHWHILE_DENSITY) -> list[str]:
    """Let pruned or narrow convolutions compute with their non-zero weights only, until the masks change.

    Results differ from the dense ones by the order of summation only. Layers stay dense that are denser than `most`
    (counting the output channels that a dense kernel pads), grouped, transposed, not on a CPU, or whose mask lets
    gradients reach pruned weights.

    Returns:
        the names of the layers that compute sparsely from now on.

    """
    masks = mask_modules(network)
    chosen = []
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and _suits(layer):
            module = masks.get(name)
            mask = module.mask if module else torch.ones_like(trained_weight(layer), dtype=torch.bool)
            if not (module and module.straight_through) and _density(mask) <= most:
                _switch(layer, mask)
                chosen.append(name)
    return chosen


def switch_off(network: nn.Module) -> None:
    """Dense computation in every layer."""
    for module in network.modules():
        vars(module).pop("_conv_forward", None)  # the class's own is visible again


def _suits(layer: nn.Conv2d | nn.Conv3d) -> bool:
    return (
        is_plain(layer)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and trained_weight(layer).device.type == "cpu"
    )


def _density(mask: Tensor) -> float:
    """Non-zero weights as a fraction of those that a dense kernel computes with."""
    padded = -(-mask.shape[0] // _VECTOR) * _VECTOR
    return int(mask.sum()) / (padded * mask[0].numel())


def _switch(layer: nn.Conv2d | nn.Conv3d, mask: Tensor) -> None:
    geometry = Geometry.of(layer)
    taps = Taps.of(mask, geometry)

    def forward(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return sparse_convolution(inputs, weight, bias, taps, geometry)

    layer._conv_forward = forward  # type: ignore[method-assign, assignment]
