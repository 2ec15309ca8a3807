"""Tracing a network: run it once, and write down the work of every layer call.

Shapes come from a copy on the meta device where the network allows that, so that tracing a full-size image
computes nothing; the zeros are counted in the real network's effective weights.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

from disparsity.errors import InputError
from disparsity.hwcost.layer_call import FLOAT_LAYER, LayerCall, Workload
from disparsity.quant.bits import LayerBits
from disparsity.quant.layers import CONVOLUTIONS, QUANTIZABLE, TRANSPOSED, channel_axis, effective_weight
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer

_NORMALIZATIONS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def trace_workload(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    bits: Mapping[str, LayerBits] | None = None,
    training_only: Collection[str] = (),
) -> Workload:
    """Run `network` on `inputs` and record every call.

    Args:
        network: masks and quantizers may be attached; not changed.
        inputs: tensors of the right shapes, e.g. ``([1, 3, H, W], [1, 3, H, W])``; only shapes matter.
        bits: by layer name; a layer that is not named is in float.
        training_only: modules that inference leaves out; their parameters and buffers are not counted.

    Raises:
        InputError: `bits` names a layer that the network does not have.

    """
    bits = bits or {}
    unknown = sorted(set(bits) - {name for name, _ in network.named_modules()})
    if unknown:
        raise InputError("bits for a layer that the network does not have", found=unknown[0])
    recorder = _Recorder(network, bits)
    run_without_compute(network, inputs, recorder.watching)
    return Workload(
        calls=tuple(recorder.calls),
        parameters=_parameters(network, training_only),
        buffers=_statistics(network, training_only),
        counted_macs=recorder.macs_so_far(),
        unmodelled=tuple(recorder.unmodelled),
    )


def run_without_compute(network: nn.Module, inputs: tuple[Tensor, ...], watching: Any) -> None:
    """Run `network` in eval mode inside ``watching(network)``: a copy on the meta device, or the real tensors.

    A network that looks at values (``.item()``, branches) cannot run on the meta device; then it computes.
    """
    with _evaluating(network):
        try:
            shadow, shapes = copy.deepcopy(network).to("meta"), [value.to("meta") for value in inputs]
            with watching(shadow):
                shadow(*shapes)
        except (RuntimeError, NotImplementedError):
            with watching(network):
                network(*inputs)


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; every module's own mode is back afterwards."""
    training = {module: module.training for module in network.modules()}
    try:
        network.eval()
        with torch.no_grad():
            yield
    finally:
        for module, mode in training.items():
            module.training = mode


class _Recorder:
    """Collects the calls of one run; a second `watching` starts anew."""

    def __init__(self, network: nn.Module, bits: Mapping[str, LayerBits]) -> None:
        self.network, self.bits = network, bits
        self.calls: list[LayerCall] = []
        self.unmodelled: list[str] = []
        self._counts: Counter[str] = Counter()
        self._counter = FlopCounterMode(display=False)

    def macs_so_far(self) -> int:
        """Multiply-accumulates executed up to now, by torch's own count."""
        return int(self._counter.get_total_flops()) // 2

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on every module of `network` while the context lasts."""
        self.calls, self.unmodelled, self._counts = [], [], Counter()
        self._counter = FlopCounterMode(display=False)
        handles = []
        for name, module in network.named_modules():
            if isinstance(module, QUANTIZABLE):
                handles.append(module.register_forward_hook(self._layer_hook(name)))
            elif hasattr(module, "workload_kind"):
                before, after = self._part_hooks(name, str(module.workload_kind))
                handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
            elif _has_own_parameters(module):
                handles.append(module.register_forward_hook(self._unmodelled_hook(name)))
        try:
            with self._counter:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _layer_hook(self, name: str) -> Any:
        def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            del module
            bits = self.bits.get(name, FLOAT_LAYER)
            self.calls.append(_layer_call(self.network.get_submodule(name), bits, self._common(name, inputs, output)))

        return record

    def _part_hooks(self, name: str, kind: str) -> tuple[Any, Any]:
        started: list[int] = []

        def before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            del module, inputs
            started.append(self.macs_so_far())

        def after(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            del module
            common = self._common(name, inputs, output)
            call = LayerCall(
                kind=kind,
                activation_bits=self.bits.get(name, FLOAT_LAYER).activations,
                weightless_macs=self.macs_so_far() - started.pop(),
                elementwise_ops=math.prod(common["output_shape"]),
                **common,
            )
            self.calls.append(call)

        return before, after

    def _common(self, name: str, inputs: tuple[Any, ...], output: Any) -> dict[str, Any]:
        call = self._counts[name]
        self._counts[name] += 1
        return {"name": name, "call": call, **_shapes(inputs, output)}

    def _unmodelled_hook(self, name: str) -> Any:
        def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            del module, inputs, output
            if name not in self.unmodelled:
                self.unmodelled.append(name)

        return record


def _shapes(inputs: tuple[Any, ...], output: Any) -> dict[str, Any]:
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    first = output if isinstance(output, Tensor) else next(value for value in output if isinstance(value, Tensor))
    return {
        "input_shape": tuple(tensors[0].shape) if tensors else (),
        "output_shape": tuple(first.shape),
        "input_elements": sum(value.numel() for value in tensors),
    }


def _layer_call(layer: nn.Module, bits: LayerBits, common: dict[str, Any]) -> LayerCall:
    weight = effective_weight(layer)
    return LayerCall(
        kind=_kind(layer),
        weight_count=weight.numel(),
        nnz=int(torch.count_nonzero(weight)),
        nnz_per_filter=_nnz_per_filter(layer, weight),
        bias_count=layer.bias.numel() if isinstance(layer.bias, Tensor) else 0,
        weight_bits=bits.weights,
        activation_bits=bits.activations,
        weight_uses=_weight_uses(layer, common["input_shape"], common["output_shape"]),
        fan_in=weight.numel() // weight.shape[0] if channel_axis(layer) == 0 else _transposed_fan_in(layer),
        **_geometry(layer),
        **common,
    )


def _kind(layer: nn.Module) -> str:
    return next(kind.__name__ for kind in QUANTIZABLE if isinstance(layer, kind))


def _geometry(layer: nn.Module) -> dict[str, Any]:
    if not isinstance(layer, CONVOLUTIONS + TRANSPOSED):
        return {}
    padding = layer.padding if isinstance(layer.padding, tuple) else _named_padding(layer)
    return {
        "kernel": tuple(layer.kernel_size),
        "stride": tuple(layer.stride),
        "padding": tuple(padding),
        "dilation": tuple(layer.dilation),
        "groups": layer.groups,
    }


def _named_padding(layer: nn.Module) -> tuple[int, ...]:
    kernel, dilation = cast(tuple[int, ...], layer.kernel_size), cast(tuple[int, ...], layer.dilation)
    same = layer.padding == "same"
    return tuple(d * (k - 1) // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True))


def _weight_uses(layer: nn.Module, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
    if isinstance(layer, nn.Linear):
        return math.prod(output_shape[:-1])
    axes = len(cast(tuple[int, ...], layer.kernel_size))
    shape = input_shape if isinstance(layer, TRANSPOSED) else output_shape
    batch = shape[0] if len(shape) == axes + 2 else 1
    return batch * math.prod(shape[-axes:])


def _transposed_fan_in(layer: nn.Module) -> int:
    """The most products that one output of a transposed convolution sums: taps that meet it, per axis ceil(k/s)."""
    assert isinstance(layer, TRANSPOSED)
    taps = [
        len(range(0, k, s // math.gcd(s, d)))
        for k, s, d in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
    ]
    return layer.in_channels // layer.groups * math.prod(taps)


def _nnz_per_filter(layer: nn.Module, weight: Tensor) -> tuple[int, ...]:
    """Non-zero weights of every output channel; a transposed ``[C_in, C_out/g, ...]`` weight by group."""
    nonzero = weight != 0
    if isinstance(layer, TRANSPOSED):
        grouped = nonzero.reshape(layer.groups, -1, *nonzero.shape[1:]).transpose(1, 2)
        return tuple(grouped.flatten(2).sum(2).flatten().tolist())
    return tuple(nonzero.flatten(1).sum(1).tolist())


def _has_own_parameters(module: nn.Module) -> bool:
    if isinstance(module, (*_NORMALIZATIONS, parametrize.ParametrizationList, WeightQuantizer, ActivationQuantizer)):
        return False
    return any(True for _ in module.parameters(recurse=False))


def _parameters(network: nn.Module, training_only: Collection[str]) -> int:
    """Parameters that inference needs: quantizers' steps are not counted, a parametrized weight once."""
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if ".input_quantizer." not in name and not _is_step(name) and not _is_below(name, training_only)
    )


def _statistics(network: nn.Module, training_only: Collection[str]) -> int:
    """Elements of BatchNorm's means and variances that inference needs."""
    return sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.endswith(("_mean", "_var")) and not _is_below(name, training_only)
    )


def _is_below(name: str, modules: Collection[str]) -> bool:
    return any(name.startswith(f"{module}.") for module in modules)


def _is_step(name: str) -> bool:
    parts = name.split(".")
    return "parametrizations" in parts and not parts[-1].startswith("original")
