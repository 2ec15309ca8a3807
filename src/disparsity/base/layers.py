"""Which layers can be quantized, and where their output channels are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import cast

from torch import Tensor, nn

from disparsity.base.errors import InputError

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
QUANTIZABLE = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)


def quantizable_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Every convolution, transposed convolution and linear layer by name, in order of definition."""
    return {name: module for name, module in network.named_modules() if isinstance(module, QUANTIZABLE)}


def channel_axis(layer: nn.Module) -> int:
    """The axis of ``layer.weight`` that counts output channels: 1 for transposed convolutions, else 0.

    A transposed convolution with g groups has ``out/g`` channels on this axis, so that its groups share steps.
    """
    return 1 if isinstance(layer, TRANSPOSED) else 0


def effective_weight(layer: nn.Module) -> Tensor:
    """The weight that the layer computes with, after its mask and its quantizer; without gradient."""
    return cast(Tensor, layer.weight).detach()


def check_layer_names(names: Iterable[str], layers: Mapping[str, object], *, what: str) -> None:
    """Refuse names that are no layers of the network, naming the nearest valid one.

    Raises:
        InputError: a name is not a key of `layers`.

    """
    for name in names:
        if name not in layers:
            near = difflib.get_close_matches(name, layers, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else None
            raise InputError(f"{what} names a layer that cannot be quantized", found=name, remedy=remedy)
