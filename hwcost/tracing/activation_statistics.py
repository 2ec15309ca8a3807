"""Activation statistics on real pairs: effectual MACs, and the range of activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from disparsity.base.determinism import usual_operators
from disparsity.hwcost.models.effectual_macs import EffectualMacs, measure_effectual
from disparsity.quant.attach import input_quantizer, quantized_layers
from disparsity.quant.bits import offset_grid
from disparsity.quant.quantizers.base import ActivationQuantizer


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One run of a network over real pairs.

    Attributes:
        data: where the pairs are from.
        pairs: how many.
        size: height and width at which the first of them was run.
        cropped: whether that is less than the whole pair.
        macs: by layer name and number of the call, summed over the pairs.
        largest_codes: by name of a layer with integer inputs, the largest size of an input's code.

    """

    data: str
    pairs: int
    size: tuple[int, int]
    cropped: bool
    macs: Mapping[tuple[str, int], EffectualMacs]
    largest_codes: Mapping[str, int]


def observe(
    network: nn.Module, inputs: Sequence[tuple[Tensor, ...]], *, data: str, cropped: bool = False
) -> Observation:
    """Run `network` over `inputs`, each ``([1, 3, H, W], [1, 3, H, W])``, at least one; the same in every mode."""
    with usual_operators(), _watching_codes(network) as largest:
        macs = measure_effectual(network, inputs)
    height, width = inputs[0][0].shape[-2:]
    return Observation(
        data=data, pairs=len(inputs), size=(height, width), cropped=cropped, macs=macs, largest_codes=largest
    )


def grid_codes(network: nn.Module) -> dict[str, int]:
    """The largest size of a code on the input grid of every layer with integer inputs, by name."""
    return {name: _grid_size(quantizer) for name, quantizer in _integer_inputs(network).items()}


def _grid_size(quantizer: ActivationQuantizer) -> int:
    low, high = offset_grid(quantizer.bits, quantizer.low or 0)
    return max(abs(low), abs(high))


def _integer_inputs(network: nn.Module) -> dict[str, ActivationQuantizer]:
    found = {name: input_quantizer(layer) for name, layer in quantized_layers(network).items()}
    return {name: quantizer for name, quantizer in found.items() if quantizer is not None}


@contextmanager
def _watching_codes(network: nn.Module) -> Iterator[dict[str, int]]:
    """The largest code of every integer input, as far as the network has run."""
    largest: dict[str, int] = {}

    def hook(name: str, quantizer: ActivationQuantizer) -> Any:
        def record(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            del layer, output
            size = round(float(inputs[0].abs().max()) / float(quantizer.step()))
            largest[name] = max(size, largest.get(name, 0))

        return record

    layers = _integer_inputs(network)
    handles = [network.get_submodule(name).register_forward_hook(hook(name, each)) for name, each in layers.items()]
    try:
        yield largest
    finally:
        for handle in handles:
            handle.remove()
