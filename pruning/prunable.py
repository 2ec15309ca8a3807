"""Which layers can be pruned."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from disparsity.base.errors import InputError

WEIGHTED = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
)


def prunable_layers(network: nn.Module, protected: Collection[str] = ()) -> dict[str, nn.Module]:
    """Every layer with a weight that may be pruned, by name, in order of definition.

    Args:
        network: any module.
        protected: names of layers that stay dense.

    Raises:
        InputError: a protected name is not a layer of the network.

    """
    layers = {name: module for name, module in network.named_modules() if isinstance(module, WEIGHTED)}
    unknown = sorted(set(protected) - set(layers))
    if unknown:
        raise InputError("protected layers that the network does not have", found=unknown, expected=list(layers))
    return {name: module for name, module in layers.items() if name not in protected}
