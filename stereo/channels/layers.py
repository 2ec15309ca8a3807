"""How channels go through layers: what is free behind them, and what is tied to what is in front of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import nn

from disparsity.base.layers import BATCH_NORMS, CONVOLUTIONS, QUANTIZABLE, TRANSPOSED, is_plain
from disparsity.stereo.channels.nodes import Nodes

_CHANNELWISE = (*BATCH_NORMS, nn.PReLU)


@dataclass(frozen=True)
class Ends:
    """The nodes of a layer's input and output channels; of a layer with a value per channel they are the same."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def is_mixing(layer: nn.Module) -> bool:
    """Whether every output channel is computed from all input channels of its group."""
    return isinstance(layer, QUANTIZABLE)


def is_channelwise(layer: nn.Module) -> bool:
    """Whether the layer has values for every single channel; a PReLU may have one for all."""
    return isinstance(layer, _CHANNELWISE) and not (isinstance(layer, nn.PReLU) and layer.num_parameters == 1)


def can_shrink(layer: nn.Module) -> bool:
    """Whether the layer is torch's own, and a channel can be made zero by its parameters.

    A BatchNorm without scale and shift turns a channel that is zero into a constant.
    """
    own = {name for name, _ in layer.named_parameters(recurse=False)} <= {"weight", "bias"}
    constant = isinstance(layer, BATCH_NORMS) and not layer.affine
    return own and is_plain(layer, (*QUANTIZABLE, *_CHANNELWISE)) and not constant


def ends_of(layer: nn.Module, nodes: Nodes) -> Ends:
    """Fresh nodes for a layer, with the ties that its own structure demands.

    Depthwise: an output channel goes with its input channel. In other grouped convolutions the groups stay equal:
    channel k of one group goes with channel k of every other.
    """
    if isinstance(layer, _CHANNELWISE):
        channels = nodes.fresh(_width(layer))
        return Ends(channels, channels)
    if isinstance(layer, nn.Linear):
        return Ends(nodes.fresh(layer.in_features), nodes.fresh(layer.out_features))
    convolution = cast(nn.Conv2d, layer)
    ends = Ends(nodes.fresh(convolution.in_channels), nodes.fresh(convolution.out_channels))
    if convolution.groups == convolution.in_channels > 1:
        multiplier = len(ends.outputs) // len(ends.inputs)
        nodes.unite(ends.outputs, [node for node in ends.inputs for _ in range(multiplier)])
    elif convolution.groups > 1:
        for side in (ends.inputs, ends.outputs):
            tie_groups(side, convolution.groups, nodes)
    return ends


def tie_groups(channels: tuple[int, ...], groups: int, nodes: Nodes) -> None:
    """Channel k of every group of neighbours is one unit."""
    size = len(channels) // groups
    for place in range(size):
        nodes.join(channels[place::size])


def activation_axis(layer: nn.Module, dimensions: int) -> int:
    """The axis of the layer's input and output that counts channels."""
    if isinstance(layer, nn.Linear):
        return dimensions - 1
    return dimensions - 1 - len(layer.kernel_size) if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED)) else 1


def _width(layer: nn.Module) -> int:
    """Channels of a layer with a value per channel."""
    return layer.num_parameters if isinstance(layer, nn.PReLU) else cast(nn.BatchNorm2d, layer).num_features
