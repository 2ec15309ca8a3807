"""Prunable layers of a network."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE, quantizable_layers


def prunable_layers(network: nn.Module, protected: Collection[str] = ()) -> dict[str, nn.Module]:
    """Every layer with a weight that may be pruned, by name, in order of definition.

    Args:
        network: any module.
        protected: names of layers that stay dense.

    Raises:
        InputError: a protected name is not a layer of the network.

    """
    layers = quantizable_layers(network)
    known = {name for name, module in network.named_modules() if isinstance(module, QUANTIZABLE)}
    unknown = sorted(set(protected) - known)
    if unknown:
        raise InputError("protected layers that the network does not have", found=unknown, expected=list(layers))
    return {name: module for name, module in layers.items() if name not in protected}
