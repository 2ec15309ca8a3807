"""Golden vectors: integer inputs and outputs of every call of every integer layer, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from disparsity.base.trace.recorder import Recorder
from disparsity.export.rtl.host import host_operations
from disparsity.export.rtl.words import Integers
from disparsity.quant.integer.network import integer_layers
from disparsity.stereo.network import StereoNetwork


@dataclass(frozen=True, kw_only=True)
class GoldenCall:
    """One call of a layer.

    Attributes:
        layer: its name.
        inputs: fixed-point inputs, step 1.
        codes: input codes, step 2.
        outputs: fixed-point outputs, step 4.

    """

    layer: str
    inputs: Integers
    codes: Integers
    outputs: Integers


@torch.no_grad()
def run_golden(
    network: StereoNetwork, left: Tensor, right: Tensor, take: Callable[[GoldenCall], None]
) -> Counter[tuple[str, str]]:
    """Run an integer form on one pair and hand over every call as it happens.

    Args:
        network: of `integer_form`.
        left: ``[1, 3, H, W]``, RGB in 0..1.
        right: the same shape.
        take: is given each call; nothing is kept.

    Returns:
        what the network computes outside of its integer layers, as `host_operations` counts it.

    Raises:
        InputError: a convolution or a linear layer runs in float.

    """
    recorder = Recorder(network)
    with _observed(network, take), recorder.watching(network):
        network(left, right)
    return host_operations(network, recorder.trace())


@contextmanager
def _observed(network: nn.Module, take: Callable[[GoldenCall], None]) -> Iterator[None]:
    layers = integer_layers(network)
    for name, layer in layers.items():
        layer.observer = _observer(name, take)
    try:
        yield
    finally:
        for layer in layers.values():
            layer.observer = None


def _observer(name: str, take: Callable[[GoldenCall], None]) -> Callable[[Tensor, Tensor, Tensor], None]:
    def observe(inputs: Tensor, codes: Tensor, outputs: Tensor) -> None:
        arrays = [np.ascontiguousarray(each.numpy()) for each in (inputs, codes, outputs)]
        take(GoldenCall(layer=name, inputs=arrays[0], codes=arrays[1], outputs=arrays[2]))

    return observe
