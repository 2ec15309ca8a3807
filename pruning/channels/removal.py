"""Channel removal: the same modules with smaller weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.pruning.channels.coupling import Coupling
from disparsity.pruning.channels.layout import Layout, kept_places, layouts
from disparsity.pruning.channels.sizes import resize_layer, shrunk_sizes
from disparsity.pruning.masks import WeightMask, attach_masks, set_masks


@torch.no_grad()
def remove_channels(network: nn.Module, coupling: Coupling, removed: Tensor) -> None:
    """Remove units of channels from a network; its outputs stay those of the network with these units masked.

    Weights, biases, scales, shifts and running statistics of the other channels stay as they are. Masks are applied for
    good; a layer keeps a mask only where single weights of channels that stay are masked.

    Args:
        network: changed in place.
        coupling: of this network.
        removed: ``[units]`` bool.

    Raises:
        InputError: a layer would be left without a channel, groups would differ in size, or a weight has a
            parametrization that is no mask.

    """
    _check(coupling, removed)
    for name, layout in layouts(network, coupling).items():
        places = _Places.of(layout, removed)
        mask = _bake(network.get_submodule(name), name)
        if places.lose:
            _shrink(network.get_submodule(name), places)
        if mask is not None and not bool(places.cut(mask).all()):
            attach_masks(network, [name])
            set_masks(network, {name: places.cut(mask)})
    for name, channels in coupling.averages.items():
        averaging = network.get_submodule(name)
        if bool(removed.any()) and getattr(averaging, "averaged_channels", None) is None:
            resize_layer(averaging, {"averaged_channels": channels})


@dataclass(frozen=True)
class _Places:
    """What of a layer is kept: places on its weight's axes and output channels, bool each."""

    rows: Tensor
    columns: Tensor | None
    outputs: Tensor

    @classmethod
    def of(cls, layout: Layout, removed: Tensor) -> _Places:
        columns = None if layout.columns is None else kept_places(layout.columns, removed)
        return cls(kept_places(layout.rows, removed), columns, kept_places(layout.outputs, removed))

    @property
    def lose(self) -> bool:
        """Whether something goes."""
        return not all(bool(kept.all()) for kept in (self.rows, self.columns, self.outputs) if kept is not None)

    def cut(self, weight: Tensor) -> Tensor:
        """What is left of the weight, or of its mask."""
        cut = weight[self.rows.to(weight.device)]
        return cut if self.columns is None else cut[:, self.columns.to(weight.device)]


def _shrink(layer: nn.Module, places: _Places) -> None:
    kept = {key: tensor[places.outputs.to(tensor.device)] for key, tensor in _vectors(layer).items()}
    kept["weight"] = places.cut(cast(Tensor, layer.weight))
    resize_layer(layer, shrunk_sizes(layer, places.outputs, places.rows, places.columns))
    for key, values in kept.items():
        cast(Tensor, getattr(layer, key)).copy_(values)


def _vectors(layer: nn.Module) -> dict[str, Tensor]:
    """Everything with one value per output channel besides the weight."""
    tensors = {key: getattr(layer, key, None) for key in ("bias", "running_mean", "running_var")}
    return {key: value for key, value in tensors.items() if isinstance(value, Tensor)}


def _bake(layer: nn.Module, name: str) -> Tensor | None:
    """Make the masked weight a plain parameter; returns the mask, if there was one.

    Torch's own `remove_parametrizations` takes the weight off the layer's class, which all copies of the layer share.
    """
    if not parametrize.is_parametrized(layer):
        return None
    steps = cast(Mapping[str, nn.ModuleList], layer.parametrizations)
    if set(steps) != {"weight"} or not all(isinstance(step, WeightMask) for step in steps["weight"]):
        raise InputError("channels of a layer with quantizers", where=name, remedy="remove channels before quantizing")
    weight = nn.Parameter(cast(Tensor, layer.weight).detach().clone())
    del layer.parametrizations
    layer.__class__ = type(layer).__bases__[0]
    layer.weight = weight
    return cast(WeightMask, steps["weight"][0]).mask


def _check(coupling: Coupling, removed: Tensor) -> None:
    gone = set(removed.nonzero().flatten().tolist())
    for ends in (coupling.outputs, coupling.inputs, coupling.channelwise):
        for name, units in ends.items():
            if units and gone.issuperset(units):
                raise InputError("a layer would be left without channels", where=name, expected="one at least")
    for family in coupling.balanced:
        sizes = {len(group) - len(gone.intersection(group)) for group in family}
        if len(sizes) > 1:
            raise InputError("groups of channels would differ in size", found=sorted(sizes), expected="one size")
