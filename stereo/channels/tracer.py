"""Channels followed through a trace: through layers, volumes and free operations; what cannot be followed is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import cast

from torch import nn

from disparsity.base.trace.operation import ModuleEnd, Operation, Stack, Trace, TracedTensor
from disparsity.stereo.channels.follow import Call, Channels, NotFollowedError, require
from disparsity.stereo.channels.layers import activation_axis, can_shrink, ends_of, is_channelwise, is_mixing
from disparsity.stereo.channels.nodes import Nodes
from disparsity.stereo.channels.rules import IN_PLACE, RULES
from disparsity.stereo.volumes.flow import ChannelFlow

_VOLUME_AXIS = 1


class Tracer:
    """Unites the nodes of channels that meet, and fixes those that cannot be followed.

    Layers and volumes are taken as a whole, everything else operation by operation. An unknown tensor that shares its
    memory with a known one has been made in a way that was not followed.

    Args:
        network: that the traces are of.

    """

    def __init__(self, network: nn.Module) -> None:
        self.nodes = Nodes()
        self.layers = {n: layer for n, layer in network.named_modules() if is_mixing(layer) or is_channelwise(layer)}
        self.ends = {name: ends_of(layer, self.nodes) for name, layer in self.layers.items()}
        self.families: list[tuple[tuple[int, ...], ...]] = []
        self.averages: dict[str, int] = {}
        self.obstacles: dict[str, None] = {}
        self.called: set[str] = set()
        self._modules = dict(network.named_modules())
        self._whole = {name for name, module in self._modules.items() if _is_whole(module)}
        self._known: dict[int, Channels] = {}
        self._memory: dict[int, list[int]] = {}

    def fix_layers(self, names: Collection[str], *, inputs: bool) -> None:
        """Keep the output channels of these layers and of all below these modules, and if asked the input channels."""
        for name, ends in self.ends.items():
            if any(name == above or name.startswith(f"{above}.") for above in names):
                self.nodes.fix((*ends.outputs, *(ends.inputs if inputs else ())))

    def follow(self, trace: Trace) -> None:
        """Follow the channels through one run; what it returns keeps all of its own."""
        self._known, self._memory = {}, {}
        for name, ends in self.ends.items():  # read by anything but the layer itself, a parameter keeps its size
            for key, parameter in trace.constants.items():
                if not name or key.startswith(f"{name}."):
                    self._remember(parameter, (*ends.inputs, *ends.outputs))
        for event in trace.events:
            if isinstance(event, Operation) and self._whole.isdisjoint(event.stack):
                self._operation(event)
            elif isinstance(event, ModuleEnd) and self._whole.isdisjoint(event.stack[:-1]):
                self._module(event)
        self._fix(trace.outputs)

    def _fix(self, values: Iterable[TracedTensor], reason: str | None = None, stack: Stack = ()) -> None:
        """Keep all channels of these tensors; where that was not so before, the reason is an obstacle."""
        found = [self._channels(value) for value in values]
        free = [self.nodes.fix(item.nodes) for item in found if item is not None]
        if reason is not None and any(free):
            place = stack[-1] if stack else ""
            self.obstacles[f"{reason} at {place or 'the network itself'}"] = None

    def _operation(self, event: Operation) -> None:
        if not any(self._channels(value) for value in event.read):
            return
        name, base = event.name, event.name.removesuffix("_")
        try:
            require(base in RULES and "out" not in event.kwargs)
            require(base == name or (base in IN_PLACE and self._channels(event.args[0]) is not None))
            found = RULES[base](Call(self.nodes, event.args, dict(event.kwargs), event.output, self._channels))
            if found is not None:
                self._learn_all(event.made, found)
        except NotFollowedError:
            self._fix(event.read, base, event.stack)

    def _module(self, event: ModuleEnd) -> None:
        name = event.stack[-1]
        if name in self.ends:
            self._layer(event, self.layers[name])
        elif name in self._whole:
            self._volume(event, self._modules[name])

    def _layer(self, event: ModuleEnd, layer: nn.Module) -> None:
        name, given = event.stack[-1], event.inputs
        ends, found = self.ends[name], self._channels(given[0]) if len(given) == 1 else None
        self.called.add(name)
        if not can_shrink(layer) or len(event.outputs) != 1:
            self._fix(given, type(layer).__name__, event.stack)
            self.nodes.fix((*ends.inputs, *ends.outputs))
            return
        axis = activation_axis(layer, given[0].dim())
        if found is None or (found.axis, len(found.nodes)) != (axis, len(ends.inputs)):
            self._fix(given, type(layer).__name__, event.stack)
            self.nodes.fix(ends.inputs)
        else:
            self.nodes.unite(found.nodes, ends.inputs)
        self._learn(event.outputs[0], Channels(axis, ends.outputs))

    def _volume(self, event: ModuleEnd, volume: nn.Module) -> None:
        given, output, kind = event.inputs, event.outputs[0], type(volume).__name__
        left, right = self._channels(given[0]), self._channels(given[1])
        flow = cast(ChannelFlow, volume.channel_flow)
        self._fix(given[2:], kind, event.stack)
        if left is None or right is None or flow is ChannelFlow.MIXED or not _alike(left, right):
            self._fix(given, kind, event.stack)
        elif flow is ChannelFlow.JOINED:
            self._learn(output, Channels(_VOLUME_AXIS, left.nodes + right.nodes))
        else:
            self.nodes.unite(left.nodes, right.nodes)
            if flow is ChannelFlow.PAIRED:
                self._learn(output, left)
            elif flow is ChannelFlow.AVERAGED:
                self._average(event.stack[-1], left.nodes, cast(int, volume.groups))

    def _average(self, name: str, channels: tuple[int, ...], groups: int) -> None:
        size = len(channels) // groups
        self.averages[name] = len(channels)
        self.families.append(tuple(channels[start : start + size] for start in range(0, len(channels), size)))

    def _channels(self, value: object) -> Channels | None:
        if not isinstance(value, TracedTensor):
            return None
        if value.number not in self._known:
            self.nodes.fix(self._memory.get(value.storage, []))
        return self._known.get(value.number)

    def _learn_all(self, values: Iterable[TracedTensor], channels: Channels) -> None:
        for value in values:
            require(value.shape[channels.axis] == len(channels.nodes))
            self._learn(value, channels)

    def _learn(self, value: TracedTensor, channels: Channels) -> None:
        self._known[value.number] = channels
        self._remember(value, channels.nodes)

    def _remember(self, value: TracedTensor, nodes: tuple[int, ...]) -> None:
        self._memory.setdefault(value.storage, []).extend(nodes)


def _is_whole(module: nn.Module) -> bool:
    return is_mixing(module) or is_channelwise(module) or hasattr(module, "channel_flow")


def _alike(left: Channels, right: Channels) -> bool:
    return left.axis == right.axis == _VOLUME_AXIS and len(left.nodes) == len(right.nodes)
