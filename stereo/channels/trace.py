"""The channel coupling of a module, from one run in training mode and one in eval mode."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from disparsity.base.trace.dry_run import trace_network
from disparsity.stereo.channels.balance import balanced_families
from disparsity.stereo.channels.coupling import KEPT, ChannelCoupling
from disparsity.stereo.channels.layers import is_mixing
from disparsity.stereo.channels.nodes import FIXED
from disparsity.stereo.channels.tracer import Tracer


def trace_coupling(
    network: nn.Module, inputs: Sequence[Tensor], kept_outputs: Collection[str] = (), kept: Collection[str] = ()
) -> ChannelCoupling:
    """Follow the channels of a network through a run.

    A copy runs in training mode and in eval mode, since a network may take other ways in each.

    Args:
        network: not changed.
        inputs: positional arguments, best small ones. Their own channels are kept, and so are those of the outputs.
        kept_outputs: layers, or modules with layers below them, whose output channels are kept.
        kept: layers or modules whose input channels are kept as well.

    Returns:
        what belongs together; channels that are not known to be removable are kept.

    """
    with torch.random.fork_rng(devices=[]):
        return _result(_run(copy.deepcopy(network), inputs, kept_outputs, kept))


def _run(network: nn.Module, inputs: Sequence[Tensor], kept_outputs: Collection[str], kept: Collection[str]) -> Tracer:
    tracer = Tracer(network)
    for module in network.modules():
        if isinstance(module, _DropoutNd):
            module.p = 0.0  # or it draws its noise with operators that nobody could follow
    tracer.fix_layers(kept_outputs, inputs=False)
    tracer.fix_layers(kept, inputs=True)
    for training in (False, True):
        tracer.follow(trace_network(network, inputs, training=training))
    tracer.fix_layers(_untouched(network, tracer), inputs=True)
    return tracer


def _untouched(network: nn.Module, tracer: Tracer) -> list[str]:
    """Layers that were not called, or that share a parameter with another one: nothing is known of them."""
    holders: dict[int, list[str]] = {}
    for name, module in network.named_modules():
        for parameter in module.parameters(recurse=False):
            holders.setdefault(id(parameter), []).append(name)
    shared = {name for names in holders.values() if len(names) > 1 for name in names}
    return [name for name in tracer.ends if name in shared or name not in tracer.called]


def _result(tracer: Tracer) -> ChannelCoupling:
    nodes = tracer.nodes
    families = balanced_families(tracer.families, nodes)
    numbers = {FIXED: KEPT}
    for name, ends in tracer.ends.items():
        for node in ends.outputs if is_mixing(tracer.layers[name]) else ():
            numbers.setdefault(nodes.root(node), len(numbers) - 1)

    def units(channels: Sequence[int]) -> tuple[int, ...]:
        return tuple(numbers[nodes.root(node)] for node in channels)

    mixing = {name: ends for name, ends in tracer.ends.items() if is_mixing(tracer.layers[name])}
    return ChannelCoupling(
        outputs={name: units(ends.outputs) for name, ends in mixing.items()},
        inputs={name: units(ends.inputs) for name, ends in mixing.items()},
        channelwise={name: units(ends.outputs) for name, ends in tracer.ends.items() if name not in mixing},
        balanced=tuple(tuple(units(group) for group in family) for family in families),
        averages=dict(tracer.averages),
        obstacles=tuple(tracer.obstacles),
        units=len(numbers) - 1,
    )
