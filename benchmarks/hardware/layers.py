"""Convolutions of the zoo on small maps, for peers that take seconds per layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from disparsity.hwcost.tracing.layer_call import LayerCall, Workload
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits
from disparsity.stereo.networks import NETWORKS, build_network

SMALL_MAPS = {2: (12, 20), 3: (4, 6, 10)}
BITS = LayerBits(weights=8, activations=8)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One layer of a network, alone on a small map."""

    network: str
    layer: str
    call: LayerCall

    @property
    def shape(self) -> str:
        """What the layer is, in a cell of a table."""
        call = self.call
        channels = f"{call.input_shape[1]}->{call.output_shape[1]}"
        marks = [f"k{_short(call.kernel)}"]
        marks += [f"s{_short(call.stride)}"] if set(call.stride) != {1} else []
        marks += [f"d{_short(call.dilation)}"] if set(call.dilation) != {1} else []
        marks += [f"g{call.groups}"] if call.groups > 1 else []
        return f"{call.kind} {channels} {' '.join(marks)}"


def workload_of(samples: list[Sample]) -> Workload:
    """The layers as one workload, for the exports; named by their place."""
    calls = [replace(sample.call, name=f"layer{index}", call=0) for index, sample in enumerate(samples)]
    return Workload(calls=tuple(calls), parameters=0, buffers=0)


def alone(network: str, name: str, layer: nn.Module, spatial: tuple[int, ...]) -> Sample:
    """Trace one layer on a map of this size, at 8 bits."""
    channels: Any = layer.in_channels
    views = (torch.zeros(1, channels, *spatial),)
    (call,) = trace_workload(nn.Sequential(layer), views, {"0": BITS}).calls
    return Sample(network=network, layer=name, call=call)


def different_layers() -> Iterator[Sample]:
    """Every convolution of the zoo that no earlier one equals in kind, channels and geometry."""
    seen = set()
    for network in NETWORKS:
        for name, layer in build_network(network).named_modules():
            if not isinstance(layer, nn.modules.conv._ConvNd):
                continue
            small = SMALL_MAPS[len(layer.kernel_size)]
            sample = alone(network, name, layer, tuple(map(max, small, layer.kernel_size)))
            key = (sample.shape, sample.call.padding, sample.call.output_shape)
            if key not in seen:
                seen.add(key)
                yield sample


def category(call: LayerCall) -> tuple[object, ...]:
    """What makes a layer a case of its own for a tool."""
    return call.kind, set(call.kernel) == {1}, max(call.stride) > 1, max(call.dilation) > 1, call.groups > 1


def spread(samples: list[Sample], per_category: int) -> list[Sample]:
    """Of every category a few, from the smallest layer to the largest."""
    by_category: dict[tuple[object, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_category[category(sample.call)].append(sample)
    return [one for members in by_category.values() for one in _evenly(members, per_category)]


def _evenly(members: list[Sample], count: int) -> list[Sample]:
    members = sorted(members, key=lambda sample: sample.call.dense_macs)
    if len(members) <= count:
        return members
    return [members[index * (len(members) - 1) // (count - 1)] for index in range(count)]


def _short(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))
