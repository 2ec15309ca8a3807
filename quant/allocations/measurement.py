"""Distortion measurement: change of the network's output when its weights get other bits, without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest

import torch
from torch import Tensor, nn

from disparsity.base.eval_mode import evaluating
from disparsity.base.layers import channel_axis, effective_weight, trained_weight
from disparsity.quant.allocations.problem import Plan
from disparsity.quant.attach import detach
from disparsity.quant.bits import FLOAT_BITS, LayerBits

Attach = Callable[[nn.Module, Mapping[str, LayerBits]], None]


class Measurement:
    """The weights of a network at all candidate widths, and its output under any choice among them.

    Interpretation: weights are rounded to the nearest code one by one, inputs stay in float, and a channel that is
    removed leaves its bias behind.

    Args:
        network: in float, masks attached or not; every measurement leaves it as it is.
        layers: the layers that are allocated, by name.
        widths: by the same names.
        attach: puts quantizers of given bits on a network.
        output: what the network computes on the calibration pairs; of any shape.
        channels: by layer, its output channels, the least important first.

    """

    def __init__(
        self,
        network: nn.Module,
        layers: Mapping[str, nn.Module],
        widths: Mapping[str, Sequence[int]],
        attach: Attach,
        output: Callable[[], Tensor],
        channels: Mapping[str, Tensor],
    ) -> None:
        self._network, self._output = network, output
        self._layers = list(layers.values())
        self._channels = [channels[name] for name in layers]
        self._rounded = list(_rounded(network, layers, widths, attach).values())
        self._reference = self._run()

    def table(self) -> list[list[float]]:
        """The distortion by layer and candidate, all other layers in float; 0 where there is no choice."""
        return [
            [self._distortion({layer: weight}) for weight in weights] if len(weights) > 1 else [0.0]
            for layer, weights in enumerate(self._rounded)
        ]

    def measure(self, plan: Plan) -> float:
        """The mean squared change of the output under a plan."""
        return self._distortion({layer: self._weight(layer, plan) for layer in range(len(self._layers))})

    def _weight(self, layer: int, plan: Plan) -> Tensor:
        weight, gone = self._rounded[layer][plan.options[layer]], plan.removed[layer]
        if gone == 0:
            return weight
        return weight.index_fill(channel_axis(self._layers[layer]), self._channels[layer][:gone], 0.0)

    def _distortion(self, weights: Mapping[int, Tensor]) -> float:
        with _replaced({self._layers[layer]: weight for layer, weight in weights.items()}):
            return float((self._run() - self._reference).double().square().mean())

    @torch.no_grad()
    def _run(self) -> Tensor:
        with evaluating(self._network):
            return self._output().float()


def _rounded(
    network: nn.Module, layers: Mapping[str, nn.Module], widths: Mapping[str, Sequence[int]], attach: Attach
) -> dict[str, list[Tensor]]:
    """Every layer's weight at each of its widths."""
    found: dict[str, list[Tensor]] = {name: [] for name in layers}
    for column in zip_longest(*(widths[name] for name in layers)):
        chosen = {name: width for name, width in zip(layers, column, strict=True) if width is not None}
        attach(network, {name: LayerBits(weights=width, activations=FLOAT_BITS) for name, width in chosen.items()})
        for name in chosen:
            found[name].append(effective_weight(layers[name]).clone())
        detach(network)
    return found


@contextmanager
def _replaced(weights: Mapping[nn.Module, Tensor]) -> Iterator[None]:
    """Replace trained tensors inside the block. All of them have the masks' zeros, so masks stay valid."""
    kept = {layer: trained_weight(layer).detach().clone() for layer in weights}
    try:
        _write(weights)
        yield
    finally:
        _write(kept)


@torch.no_grad()
def _write(weights: Mapping[nn.Module, Tensor]) -> None:
    for layer, weight in weights.items():
        trained_weight(layer).copy_(weight)
