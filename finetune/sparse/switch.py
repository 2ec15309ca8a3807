"""Switching the convolutions of a pruned network to sparse computation and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.finetune.sparse.convolution import sparse_convolution
from disparsity.finetune.sparse.taps import Geometry, Taps
from disparsity.pruning.masks import WeightMask, mask_modules

WORTHWHILE_DENSITY = 0.4
"""Above this share of non-zero weights the library's dense kernels are faster (benchmarks/sparse_training.py)."""


def switch_on(network: nn.Module, most: float = WORTHWHILE_DENSITY) -> list[str]:
    """Let masked convolutions compute with their non-zero weights only, until the masks change.

    Results differ from the dense ones by the order of summation only. Layers stay dense that are denser than `most`,
    grouped, transposed, not on a CPU, or whose mask lets gradients reach pruned weights.

    Returns:
        the names of the layers that compute sparsely from now on.

    """
    chosen = {
        name: module.mask
        for name, module in mask_modules(network).items()
        if _suits(network.get_submodule(name), module, most)
    }
    for name, mask in chosen.items():
        _switch(network.get_submodule(name), mask)
    return list(chosen)


def switch_off(network: nn.Module) -> None:
    """Dense computation in every layer."""
    for module in network.modules():
        vars(module).pop("_conv_forward", None)  # the class's own is visible again


def _suits(layer: nn.Module, module: WeightMask, most: float) -> bool:
    return (
        isinstance(layer, nn.Conv2d | nn.Conv3d)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and module.mask.device.type == "cpu"
        and not module.straight_through
        and int(module.mask.sum()) <= most * module.mask.numel()
    )


def _switch(layer: nn.Module, mask: Tensor) -> None:
    assert isinstance(layer, nn.Conv2d | nn.Conv3d)
    geometry = Geometry.of(layer)
    taps = Taps.of(mask, geometry)

    def forward(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return sparse_convolution(inputs, weight, bias, taps, geometry)

    layer._conv_forward = forward  # type: ignore[method-assign, assignment]
