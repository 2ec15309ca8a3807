"""Refusing a network that pruning and quantization cannot treat, with the operator and its place in the message.

What counts: weights that no stage knows how to prune, quantize or cost, recurrent updates (a layer that reads what it
has written), layers whose number of calls depends on the image, and weights that two layers share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from disparsity.base.dry_run import run_without_compute
from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE
from disparsity.pruning.masks import WeightMask
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.stereo.network import StereoNetwork

_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
_OWN = (parametrize.ParametrizationList, WeightMask, WeightQuantizer, ActivationQuantizer)
_DEFORMABLE = ("deform", "dcn")
_LISTED = 5


def check_treatable(network: StereoNetwork, left: Tensor, right: Tensor) -> None:
    """Refuse a network with operators that the stages cannot treat.

    Modules that the spec excludes from compression may hold anything.

    Args:
        network: not changed.
        left: ``[B, 3, H, W]``, a pair to run it on; where the network allows that, only the shape is used.
        right: the same shape.

    Raises:
        InputError: there is such an operator; the message names the first few and where they are.

    """
    findings = untreatable_modules(network) or untreatable_calls(network, left, right)
    if findings:
        more = len(findings) - _LISTED
        raise InputError(
            "the network cannot be pruned and quantized",
            where=network.spec.name,
            found=", ".join(findings[:_LISTED]) + (f" and {more} more" if more > 0 else ""),
            expected="convolutions, transposed convolutions and linear layers, each called a fixed number of times",
            remedy="name the module in its spec's `uncompressed` to leave it as it is",
        )


def untreatable_modules(network: StereoNetwork) -> list[str]:
    """What the modules alone tell, each as ``operator at name``."""
    findings = []
    for name, module in _compressed_modules(network):
        operator = _untreatable(module)
        if operator is not None:
            findings.append(f"{operator} at {name or 'the network itself'} ({type(module).__name__})")
    return findings + _shared_weights(network)


def untreatable_calls(network: StereoNetwork, left: Tensor, right: Tensor) -> list[str]:
    """What a run tells, each as ``operator at name``; with a second run where the first one looked at values."""
    watcher = _Watcher(network)
    run_without_compute(network, (left, right), watcher.watching)
    findings, counts = list(watcher.findings), watcher.counts
    if watcher.computed:
        run_without_compute(network, (torch.zeros_like(left), torch.zeros_like(right)), watcher.watching)
        findings += [
            f"a layer called {counts[name]} or {watcher.counts[name]} times at {name}"
            for name in counts | watcher.counts
            if counts[name] != watcher.counts[name]
        ]
    return findings


def _compressed_modules(network: StereoNetwork) -> Iterator[tuple[str, nn.Module]]:
    return ((name, module) for name, module in network.named_modules() if network.spec.compresses(name))


def _untreatable(module: nn.Module) -> str | None:
    own = dict(module.named_parameters(recurse=False))
    if isinstance(module, _RECURRENT):
        return "recurrent layer"
    if own and any(mark in type(module).__name__.lower() for mark in _DEFORMABLE):
        return "deformable convolution"
    if isinstance(module, QUANTIZABLE):
        return None if _plain_weight(module) else "reparametrized weight"
    if isinstance(module, (*_NORMS, *_OWN)):
        return None
    wide = [key for key, value in own.items() if sum(side > 1 for side in value.shape) > 1]
    return f"weight '{wide[0]}' of a layer of unknown kind" if wide else None


def _plain_weight(layer: nn.Module) -> bool:
    """Whether the weight is a parameter, with nothing but masks and quantizers of ours on it."""
    if not parametrize.is_parametrized(layer, "weight"):
        return "weight" in dict(layer.named_parameters(recurse=False))
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


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows which layers every tensor comes from: a set of bits per storage, one bit per layer."""

    def __init__(self, network: StereoNetwork) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._network = network
        self._names = [name for name, module in _compressed_modules(network) if isinstance(module, QUANTIZABLE)]
        self.computed = False
        self._reset()

    def _reset(self) -> None:
        self.findings: dict[str, None] = {}
        self.counts: Counter[str] = Counter()
        self._origins: dict[int, int] = {}
        self._kept: list[Any] = []
        self._open: list[str] = []

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on `network` (the real one or a copy without values), and this mode active, while the context lasts."""
        self._reset()
        self.computed = network is self._network
        bits = {name: 1 << index for index, name in enumerate(self._names)}
        handles = []
        for name, module in network.named_modules():
            handles.append(module.register_forward_pre_hook(self._enter(name, bits.get(name, 0))))
            handles.append(module.register_forward_hook(self._leave(bits.get(name, 0))))
        try:
            with self:
                yield
        finally:
            self._kept.clear()
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation; what it makes comes from all layers that what it reads comes from."""
        del types
        output = func(*args, **(kwargs or {}))
        place = self._open[-1] if self._open else "the network itself"
        if any(mark in func.name().lower() for mark in _DEFORMABLE) and self._network.spec.compresses(place):
            self.findings[f"deformable convolution at {place}"] = None
        self._add(output, self._origin((args, kwargs)))
        return output

    def _enter(self, name: str, bit: int) -> Any:
        def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            self._open.append(name)
            if not bit:
                return
            self.counts[name] += 1
            if self._origin(inputs) & bit:
                self.findings[f"recurrent update at {name} ({type(module).__name__}, reads what it has written)"] = None

        return enter

    def _leave(self, bit: int) -> Any:
        def leave(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            del module, inputs
            self._open.pop()
            self._add(output, bit)

        return leave

    def _origin(self, values: Any) -> int:
        origin = 0
        for value in tree_leaves(values):
            if isinstance(value, Tensor):
                origin |= self._origins.get(value.untyped_storage()._cdata, 0)
        return origin

    def _add(self, values: Any, origin: int) -> None:
        if not origin:
            return
        for value in tree_leaves(values):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                if storage._cdata not in self._origins:
                    self._kept.append(storage)  # a storage that is gone would pass its number on
                self._origins[storage._cdata] = self._origins.get(storage._cdata, 0) | origin
