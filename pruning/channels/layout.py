"""Channel layout: the unit of coupled channels at every index of a layer's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from disparsity.base.layers import QUANTIZABLE, TRANSPOSED
from disparsity.pruning.channels.coupling import KEPT, Coupling


@dataclass(frozen=True)
class Layout:
    """The units along a weight's axes.

    Attributes:
        rows: ``[n]`` int64, the unit of every place on the first axis.
        columns: ``[m]`` int64, the unit of every place on the second axis; None where there is no second axis.
        outputs: ``[C]`` int64, the unit of every output channel, which is that of its bias too.

    """

    rows: Tensor
    columns: Tensor | None
    outputs: Tensor


def layouts(network: nn.Module, coupling: Coupling) -> dict[str, Layout]:
    """The layout of every layer that the coupling names, in its order."""
    mixing = {name: layout_of(network.get_submodule(name), coupling, name) for name in coupling.outputs}
    single = {name: _units(units) for name, units in coupling.channelwise.items()}
    return mixing | {name: Layout(units, None, units) for name, units in single.items()}


def layout_of(layer: nn.Module, coupling: Coupling, name: str) -> Layout:
    """The layout of one convolution or linear layer.

    The groups of a grouped convolution share the places of the weight's second axis: their channels are coupled, so
    that the units of the first group stand for all. The second axis of a depthwise convolution is no channel axis.
    """
    assert isinstance(layer, QUANTIZABLE), name
    inputs, outputs = _units(coupling.inputs[name]), _units(coupling.outputs[name])
    first, second = (inputs, outputs) if isinstance(layer, TRANSPOSED) else (outputs, inputs)
    groups = groups_of(layer)
    shared = second[: len(second) // groups]
    is_depthwise = groups == len(inputs) > 1
    return Layout(first, torch.full_like(shared, KEPT) if is_depthwise else shared, outputs)


def groups_of(layer: nn.Module) -> int:
    """Groups of a convolution; 1 for a linear layer."""
    return cast(int, getattr(layer, "groups", 1))


def _units(units: Sequence[int]) -> Tensor:
    return torch.tensor(units, dtype=torch.int64)


def kept_places(units: Tensor, removed: Tensor) -> Tensor:
    """Where units are kept, ``[n]`` bool, given ``[units]`` bool of those that are removed."""
    return ~removed[units.clamp(min=0)] | (units == KEPT) if len(removed) else torch.ones_like(units, dtype=torch.bool)
