"""How many MACs one weight of a layer costs: what a score is divided by when operations count, not bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


def macs_per_weight(network: nn.Module, names: Iterable[str], run: Callable[[nn.Module], object]) -> dict[str, float]:
    """MACs per weight of the named layers, relative to the layer where a weight costs most.

    A convolution's weight is used once per output position, a transposed convolution's once per input position;
    calls of a shared layer add up.

    Args:
        network: any module.
        names: of its weighted layers.
        run: one forward pass of the network.

    """
    uses: dict[str, int] = {}

    def count(name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        transposed = isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
        positions = inputs[0] if transposed else output
        channels = positions.shape[-1] if isinstance(layer, nn.Linear) else positions.shape[1]
        uses[name] = uses.get(name, 0) + positions.numel() // channels

    hooks = [
        network.get_submodule(name).register_forward_hook(
            lambda layer, inputs, output, name=name: count(name, layer, inputs, output)  # type: ignore[misc]
        )
        for name in names
    ]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()
            run(network)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    most = max(uses.values(), default=1)
    return {name: count / most for name, count in uses.items()}
