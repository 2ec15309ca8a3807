"""Following channels through a run: what goes through layers, volumes and free operations, and what cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from disparsity.stereo.channels.follow import Call, Channels, NotFollowedError, require, tensors
from disparsity.stereo.channels.layers import can_shrink, channel_axis, ends_of, is_channelwise, is_mixing
from disparsity.stereo.channels.nodes import Nodes
from disparsity.stereo.channels.rules import IN_PLACE, RULES
from disparsity.stereo.volumes.flow import ChannelFlow

_VOLUME_AXIS = 1


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Unites the nodes of channels that meet, and fixes those that cannot be followed.

    Layers and volumes are taken as a whole, everything else operation by operation. Tensors are known by identity; an
    unknown one that shares its memory with a known one has been made in a way that was not followed.

    Args:
        network: what is run, with hooks, inside `watching`.

    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.nodes = Nodes()
        self.layers = {n: layer for n, layer in network.named_modules() if is_mixing(layer) or is_channelwise(layer)}
        self.ends = {name: ends_of(layer, self.nodes) for name, layer in self.layers.items()}
        self.families: list[tuple[tuple[int, ...], ...]] = []
        self.averages: dict[str, int] = {}
        self.obstacles: dict[str, None] = {}
        self.called: set[str] = set()
        self._network = network
        self._known: dict[int, tuple[Tensor, Channels]] = {}
        self._memory: dict[int, tuple[Any, list[int]]] = {}
        self._open: list[str] = []
        self._inside = 0

    def fix_layers(self, names: Collection[str], *, inputs: bool) -> None:
        """Keep the output channels of these layers and of all below these modules, and if asked the input channels."""
        for name, ends in self.ends.items():
            if any(name == above or name.startswith(f"{above}.") for above in names):
                self.nodes.fix((*ends.outputs, *(ends.inputs if inputs else ())))

    def fix(self, values: Any, reason: str | None = None) -> None:
        """Keep all channels of these tensors; where that was not so before, the reason is an obstacle."""
        found = [self._channels(value) for value in tensors(values)]
        free = [self.nodes.fix(item.nodes) for item in found if item is not None]
        if reason is not None and any(free):
            place = self._open[-1] if self._open else ""
            self.obstacles[f"{reason} at {place or 'the network itself'}"] = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hooks on the network, and this mode active, while the context lasts."""
        handles = []
        for name, ends in self.ends.items():  # read by anything but the layer itself, a parameter keeps its size
            for parameter in self.layers[name].parameters():
                self._remember(parameter, (*ends.inputs, *ends.outputs))
        for name, module in self._network.named_modules():
            handles.append(module.register_forward_pre_hook(self._enter(name)))
            handles.append(module.register_forward_hook(self._leave(name), with_kwargs=True))
        try:
            with self:
                yield
        finally:
            self._known.clear()
            self._memory.clear()
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and follow the channels through it."""
        del types
        output = func(*args, **(kwargs or {}))
        if not self._inside and any(self._channels(value) for value in tensors((args, kwargs))):
            self._operation(func.overloadpacket.__name__, args, kwargs or {}, output)
        return output

    def _operation(self, name: str, args: Any, kwargs: Any, output: Any) -> None:
        base = name.removesuffix("_")
        try:
            require(base in RULES and "out" not in kwargs)
            require(base == name or (base in IN_PLACE and self._channels(args[0]) is not None))
            found = RULES[base](Call(self.nodes, args, kwargs, output, self._channels))
            if found is not None:
                self._learn_all(output, found)
        except NotFollowedError:
            self.fix((args, kwargs), base)

    def _enter(self, name: str) -> Any:
        def enter(module: nn.Module, args: Any) -> None:
            del args
            self._open.append(name)
            self._inside += _is_whole(module)

        return enter

    def _leave(self, name: str) -> Any:
        def leave(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            self._inside -= _is_whole(module)
            if not self._inside and name in self.ends:
                self._layer(name, module, list(tensors((args, kwargs))), output)
            elif not self._inside and _is_whole(module):
                self._volume(name, module, list(tensors((args, kwargs))), output)
            self._open.pop()

        return leave

    def _layer(self, name: str, layer: nn.Module, given: list[Tensor], output: Any) -> None:
        ends, found = self.ends[name], self._channels(given[0]) if len(given) == 1 else None
        self.called.add(name)
        if not can_shrink(layer) or not isinstance(output, Tensor):
            self.fix(given, type(layer).__name__)
            self.nodes.fix((*ends.inputs, *ends.outputs))
            return
        axis = channel_axis(layer, given[0].dim())
        if found is None or (found.axis, len(found.nodes)) != (axis, len(ends.inputs)):
            self.fix(given, type(layer).__name__)
            self.nodes.fix(ends.inputs)
        else:
            self.nodes.unite(found.nodes, ends.inputs)
        self._learn(output, Channels(axis, ends.outputs))

    def _volume(self, name: str, volume: nn.Module, given: list[Tensor], output: Any) -> None:
        left, right = self._channels(given[0]), self._channels(given[1])
        flow = cast(ChannelFlow, volume.channel_flow)
        self.fix(given[2:], type(volume).__name__)
        if left is None or right is None or flow is ChannelFlow.MIXED or not _alike(left, right):
            self.fix(given, type(volume).__name__)
        elif flow is ChannelFlow.JOINED:
            self._learn(output, Channels(_VOLUME_AXIS, left.nodes + right.nodes))
        else:
            self.nodes.unite(left.nodes, right.nodes)
            if flow is ChannelFlow.PAIRED:
                self._learn(output, left)
            elif flow is ChannelFlow.AVERAGED:
                self._average(name, left.nodes, cast(int, volume.groups))

    def _average(self, name: str, channels: tuple[int, ...], groups: int) -> None:
        size = len(channels) // groups
        self.averages[name] = len(channels)
        self.families.append(tuple(channels[start : start + size] for start in range(0, len(channels), size)))

    def _channels(self, value: Any) -> Channels | None:
        if not isinstance(value, Tensor):
            return None
        if id(value) in self._known:
            return self._known[id(value)][1]
        _, nodes = self._memory.get(value.untyped_storage()._cdata, (None, []))
        self.nodes.fix(nodes)
        return None

    def _learn_all(self, output: Any, channels: Channels) -> None:
        for value in tensors(output):
            require(value.shape[channels.axis] == len(channels.nodes))
            self._learn(value, channels)

    def _learn(self, value: Tensor, channels: Channels) -> None:
        """What is kept here stays alive: the number of something that is gone would be passed on."""
        self._known[id(value)] = (value, channels)
        self._remember(value, channels.nodes)

    def _remember(self, value: Tensor, nodes: tuple[int, ...]) -> None:
        storage = value.untyped_storage()
        self._memory.setdefault(storage._cdata, (storage, []))[1].extend(nodes)


def _is_whole(module: nn.Module) -> bool:
    return is_mixing(module) or is_channelwise(module) or hasattr(module, "channel_flow")


def _alike(left: Channels, right: Channels) -> bool:
    return left.axis == right.axis == _VOLUME_AXIS and len(left.nodes) == len(right.nodes)
