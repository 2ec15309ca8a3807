"""Reproducible float arithmetic between integer layers: independent of batch size and thread count.

Integers do not care, but torch's sums and exponentials do: an einsum adds in another order for another batch size, and
a softmax takes other instructions where one thread's share ends.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from disparsity.quant.integer.convolution import IntegerConvolution


class Reproducible(nn.Module):
    """Mixed into a network's class: one sample after the other, on one thread outside of the integer layers."""

    def forward(self, *inputs: Any) -> Any:
        """The network's own outputs, samples along axis 0 of inputs and outputs."""
        threads, forward = torch.get_num_threads(), super().forward
        for layer in self.modules():
            if isinstance(layer, IntegerConvolution):
                layer.threads = threads
        torch.set_num_threads(1)
        try:
            outputs = [forward(*sample) for sample in _samples(inputs)]
        finally:
            torch.set_num_threads(threads)
        return tree_map(lambda *parts: torch.cat(parts), *outputs)


def make_reproducible(network: nn.Module) -> None:
    """Give the network, in place, a class of the same name that runs as `Reproducible`."""
    kind = type(network)
    network.__class__ = type(kind.__name__, (Reproducible, kind), {})


def _samples(inputs: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The inputs of every sample; what is no batch is left for the network to refuse."""
    lengths = {len(each) if isinstance(each, Tensor) and each.dim() else 0 for each in inputs}
    if len(lengths) != 1 or 0 in lengths:
        return [inputs]
    return list(zip(*(each.split(1) for each in inputs), strict=True))
