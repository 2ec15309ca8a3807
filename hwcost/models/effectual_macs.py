"""Effectual MACs on real inputs: products whose weight is not zero, whose activation is not, and both.

Counted exactly, as integers: for every input channel and kernel tap the activations that are not zero are counted
over all output positions, and multiplied by the number of filters whose weight there counts. So the joint figure is a
count of products with both factors non-zero, and not the product of two fractions. Padding counts with its values,
zeros or values of the input; products of a transposed convolution that its padding crops count, as in the dense
figure.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from disparsity.base.eval_mode import evaluating
from disparsity.base.layers import TRANSPOSED, effective_weight, padded_input, quantizable_layers


@dataclass(frozen=True, kw_only=True)
class EffectualMacs:
    """Multiply-accumulates of one layer call (or of a network), by which zeros are skipped."""

    dense: int = 0
    by_weight: int = 0
    by_activation: int = 0
    by_both: int = 0

    def __add__(self, other: EffectualMacs) -> EffectualMacs:
        """The sum of two measurements."""
        return EffectualMacs(
            dense=self.dense + other.dense,
            by_weight=self.by_weight + other.by_weight,
            by_activation=self.by_activation + other.by_activation,
            by_both=self.by_both + other.by_both,
        )


def measure_effectual(network: nn.Module, inputs: Iterable[tuple[Tensor, ...]]) -> dict[tuple[str, int], EffectualMacs]:
    """Run `network` on real inputs and count, by layer name and number of the call, summed over the inputs."""
    totals: dict[tuple[str, int], EffectualMacs] = {}
    with torch.no_grad(), evaluating(network):
        for views in inputs:
            with _watching(network, totals):
                network(*views)
    return totals


def network_total(calls: dict[tuple[str, int], EffectualMacs]) -> EffectualMacs:
    """The sum over all calls."""
    return sum(calls.values(), EffectualMacs())


def effectual_macs(layer: nn.Module, values: Tensor) -> EffectualMacs:
    """The products of one call of a layer on `values`, its (quantized) input."""
    weight = effective_weight(layer) != 0
    uses, active = _activity(layer, values != 0)
    per_input = _filters_per_input(layer, weight)
    full = _filters_per_input(layer, torch.ones_like(weight))
    return EffectualMacs(
        dense=int((full * uses).sum()),
        by_weight=int((per_input * uses).sum()),
        by_activation=int((full * active).sum()),
        by_both=int((per_input * active).sum()),
    )


@contextmanager
def _watching(network: nn.Module, totals: dict[tuple[str, int], EffectualMacs]) -> Iterator[None]:
    counts: Counter[str] = Counter()

    def hook(name: str) -> Any:
        def record(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            del output
            key = name, counts[name]
            counts[name] += 1
            totals[key] = totals.get(key, EffectualMacs()) + effectual_macs(layer, inputs[0])

        return record

    handles = [layer.register_forward_hook(hook(name)) for name, layer in quantizable_layers(network).items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _filters_per_input(layer: nn.Module, counted: Tensor) -> Tensor:
    """Filters that count, ``[input channels, taps]``."""
    if isinstance(layer, TRANSPOSED):
        return counted.flatten(1).sum(1, keepdim=True)  # every tap uses every input
    if isinstance(layer, nn.Linear):
        return counted.sum(0).unsqueeze(1)
    groups = cast(int, layer.groups)
    return counted.flatten(2).reshape(groups, -1, counted.shape[1], counted[0, 0].numel()).sum(1).flatten(0, 1)


def _activity(layer: nn.Module, nonzero: Tensor) -> tuple[int, Tensor]:
    """Positions that use every weight, and of them the inputs that are not zero, ``[input channels, taps]``."""
    if isinstance(layer, nn.Linear):
        rows = nonzero.reshape(-1, nonzero.shape[-1])
        return rows.shape[0], rows.sum(0).unsqueeze(1)
    kernel = cast(tuple[int, ...], layer.kernel_size)
    batch = nonzero if nonzero.dim() == len(kernel) + 2 else nonzero.unsqueeze(0)
    if isinstance(layer, TRANSPOSED):
        return batch.shape[0] * batch[0, 0].numel(), batch.transpose(0, 1).flatten(1).sum(1, keepdim=True)
    return _convolution_activity(layer, batch, kernel)


def _convolution_activity(layer: nn.Module, batch: Tensor, kernel: tuple[int, ...]) -> tuple[int, Tensor]:
    stride, dilation = cast(tuple[int, ...], layer.stride), cast(tuple[int, ...], layer.dilation)
    padded = padded_input(layer, batch.float()).to(torch.uint8)  # torch mirrors no integers
    outputs = [
        (size - d * (k - 1) - 1) // s + 1
        for size, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    ]
    taps = []
    for tap in itertools.product(*map(range, kernel)):
        window = tuple(
            slice(t * d, t * d + (count - 1) * s + 1, s)
            for t, d, count, s in zip(tap, dilation, outputs, stride, strict=True)
        )
        seen = padded[(slice(None), slice(None), *window)]
        taps.append(seen.transpose(0, 1).flatten(1).sum(1, dtype=torch.int64))
    return batch.shape[0] * int(torch.tensor(outputs).prod()), torch.stack(taps, 1)
