"""Sensitivity of the network's outputs to the outputs of each layer, without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn


def output_sensitivity(
    network: nn.Module,
    names: Iterable[str],
    outputs: Callable[[nn.Module, int], Sequence[Tensor]],
    probes: int,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Sum over positions of the squared Jacobian from a layer's output channels to the network's outputs.

    For a standard normal z, the gradient of ``z . output`` has an expected square equal to the sum of the squared
    Jacobian entries (Hutchinson's estimator), so an error of variance v in channel c changes the squared output
    error by about ``v * sensitivity[c]``.

    Args:
        network: put into eval mode for the pass and back afterwards.
        names: of layers whose outputs are ``[B, C, ...]``.
        outputs: the network's outputs on probe number i.
        probes: how many backward passes.
        generator: of z.

    Returns:
        ``[C]`` float32 per layer, mean over probes; zero for a layer that nothing depends on.

    """
    sums: dict[str, Tensor] = {}

    def watch(name: str, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
        sums.setdefault(name, torch.zeros(output.shape[1], device=output.device))

        def add(gradient: Tensor) -> None:
            sums[name] += _squared(gradient)

        if output.requires_grad:
            output.register_hook(add)  # type: ignore[no-untyped-call]

    training = network.training
    network.eval()
    with ExitStack() as stack:
        for name in names:
            layer = network.get_submodule(name)
            hook = layer.register_forward_hook(partial(watch, name))
            stack.callback(hook.remove)
        for probe in range(probes):
            maps = outputs(network, probe)
            noise = [torch.randn(item.shape, generator=generator).to(item.device) for item in maps]
            total = torch.stack([(item * z).sum() for item, z in zip(maps, noise, strict=True)]).sum()
            torch.autograd.grad(total, [p for p in network.parameters() if p.requires_grad], allow_unused=True)
    network.train(training)
    return {name: total / probes for name, total in sums.items()}


def _squared(gradient: Tensor) -> Tensor:
    axes = [0, *range(2, gradient.dim())]
    return gradient.detach().float().square().sum(dim=axes)
