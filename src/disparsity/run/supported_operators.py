"""Supported operators: a network that pruning and quantization cannot treat is refused, with operator and place.

Refused are weights that no stage knows how to prune, quantize or cost, subclasses of layers with a forward pass of
their own, recurrent updates (a layer that reads what it has written), layers whose number of calls depends on the
image, and weights that two layers share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE, has_own_weight, is_plain, quantizable_layers
from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import ModuleEnd, ModuleStart, Trace, TracedTensor
from disparsity.base.trace.unused import unused_modules
from disparsity.pruning.masks import WeightMask
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.spec import is_below

_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
_OWN = (parametrize.ParametrizationList, WeightMask, WeightQuantizer, ActivationQuantizer)
_DEFORMABLE = ("deform", "dcn")
_LISTED = 5


def check_operators(network: StereoNetwork, left: Tensor, right: Tensor) -> None:
    """Refuse a network with operators that the stages cannot treat.

    Modules that the spec excludes from compression, and those that never run, may hold anything.

    Args:
        network: the modules that never run are written into its spec, so that no stage treats them.
        left: ``[B, 3, H, W]``, a pair to run it on; where the network allows that, only the shape is used.
        right: the same shape.

    Raises:
        InputError: there is such an operator; the message names the first few and where they are.

    """
    trace = trace_network(network, (left, right))
    network.spec = replace(network.spec, unused=_unused(network, trace))
    findings = unsupported_modules(network) or unsupported_calls(network, trace, left, right)
    if findings:
        more = len(findings) - _LISTED
        raise InputError(
            "the network cannot be pruned and quantized",
            where=network.spec.name,
            found=", ".join(findings[:_LISTED]) + (f" and {more} more" if more > 0 else ""),
            expected="convolutions, transposed convolutions and linear layers, each called a fixed number of times",
            remedy="name the module in its spec's `uncompressed` to leave it as it is",
        )


def unsupported_modules(network: StereoNetwork) -> list[str]:
    """What the modules alone tell, each as ``operator at name``."""
    findings = []
    for name, module in _compressed_modules(network):
        operator = _unsupported(module)
        if operator is not None:
            findings.append(f"{operator} at {name or 'the network itself'} ({type(module).__name__})")
    return findings + _shared_weights(network)


def unsupported_calls(network: StereoNetwork, trace: Trace, left: Tensor, right: Tensor) -> list[str]:
    """What a run tells, each as ``operator at name``; with a second run where the first one looked at values."""
    findings = [*_findings(network, trace), *_uncalled(network, trace)]
    if trace.computed:
        other = trace_network(network, (torch.zeros_like(left), torch.zeros_like(right)))
        findings = list(dict.fromkeys((*findings, *_changing_calls(network, trace, other))))
    return findings


def _compressed_modules(network: StereoNetwork) -> Iterator[tuple[str, nn.Module]]:
    return ((name, module) for name, module in network.named_modules() if network.spec.compresses(name))


def _compressed_layers(network: StereoNetwork) -> list[str]:
    return [name for name in quantizable_layers(network) if network.spec.compresses(name)]


def _unsupported(module: nn.Module) -> str | None:
    own = dict(module.named_parameters(recurse=False))
    if isinstance(module, _RECURRENT):
        return "recurrent layer"
    if own and any(mark in type(module).__name__.lower() for mark in _DEFORMABLE):
        return "deformable convolution"
    if isinstance(module, QUANTIZABLE):
        if not has_own_weight(module) or not _only_our_parametrizations(module):
            return "reparametrized weight"
        return None if is_plain(module) else "a forward pass of its own"
    if isinstance(module, (*_NORMS, *_OWN)):
        return None
    wide = [key for key, value in own.items() if sum(side > 1 for side in value.shape) > 1]
    return f"weight '{wide[0]}' of a layer of unknown kind" if wide else None


def _only_our_parametrizations(layer: nn.Module) -> bool:
    """Whether nothing but masks and quantizers of ours is on the weight."""
    if not parametrize.is_parametrized(layer, "weight"):
        return True
    chain = cast(nn.ModuleDict, layer.parametrizations)["weight"]
    return all(isinstance(step, WeightMask | WeightQuantizer) for step in cast(nn.ModuleList, chain))


def _shared_weights(network: StereoNetwork) -> list[str]:
    holders: dict[int, str] = {}
    findings = []
    for name, module in _compressed_modules(network):
        for parameter in module.parameters(recurse=False) if isinstance(module, QUANTIZABLE) else ():
            first = holders.setdefault(id(parameter), name)
            if first != name:
                findings.append(f"a weight shared with {first} at {name}")
    return findings


def _unused(network: StereoNetwork, trace: Trace) -> tuple[str, ...]:
    """Modules that never run, those aside that the network declares as run by training alone."""
    return tuple(name for name in unused_modules(network, trace) if not is_below(name, network.spec.training_only))


def _uncalled(network: StereoNetwork, trace: Trace) -> Iterator[str]:
    """Layers whose weight something else computes with."""
    for name, count in _calls(network, trace).items():
        if not count:
            yield f"a weight used without its layer at {name}"


def _changing_calls(network: StereoNetwork, first: Trace, second: Trace) -> Iterator[str]:
    """Layers that two pairs of views call differently often."""
    counts, others = _calls(network, first), _calls(network, second)
    for name in counts | others:
        if counts[name] != others[name]:
            yield f"a layer called {counts[name]} or {others[name]} times at {name}"


def _calls(network: StereoNetwork, trace: Trace) -> Counter[str]:
    called = Counter(event.stack[-1] for event in trace.events if isinstance(event, ModuleEnd))
    return Counter({name: called[name] for name in _compressed_layers(network)})


def _findings(network: StereoNetwork, trace: Trace) -> dict[str, None]:
    """Deformable convolutions, and layers that read what they have written.

    Which layers a storage comes from is a set of bits, one bit per layer.
    """
    findings: dict[str, None] = {}
    bits = {name: 1 << index for index, name in enumerate(_compressed_layers(network))}
    origins: Counter[int] = Counter()
    for event in trace.events:
        name = event.stack[-1] if event.stack else ""
        if isinstance(event, ModuleStart):
            if _origin(origins, event.inputs) & bits.get(name, 0):
                kind = type(network.get_submodule(name)).__name__
                findings[f"recurrent update at {name} ({kind}, reads what it has written)"] = None
        elif isinstance(event, ModuleEnd):
            _add(origins, event.outputs, bits.get(name, 0))
        else:
            place = name or "the network itself"
            if any(mark in event.function.name().lower() for mark in _DEFORMABLE) and network.spec.compresses(place):
                findings[f"deformable convolution at {place}"] = None
            _add(origins, event.made, _origin(origins, event.read))
    return findings


def _origin(origins: Counter[int], values: Iterable[TracedTensor]) -> int:
    origin = 0
    for value in values:
        origin |= origins[value.storage]
    return origin


def _add(origins: Counter[int], values: Iterable[TracedTensor], origin: int) -> None:
    for value in values:
        origins[value.storage] |= origin
