"""Tracing a network: run it once, and write down the work of every layer call.

Shapes come from a copy on the meta device where the network allows that, so that tracing a full-size image
computes nothing; the zeros are counted in the real network's effective weights. A layer or a part that declares a
`workload_kind` is one record; every tensor operation outside of them is one too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from disparsity.base.dry_run import meta_result, run_without_compute
from disparsity.base.errors import InputError
from disparsity.base.layers import CONVOLUTIONS, QUANTIZABLE, TRANSPOSED, channel_axis, effective_weight
from disparsity.base.module_hooks import module_hooks
from disparsity.hwcost.tracing.layer_call import FLOAT_LAYER, LayerCall, Workload
from disparsity.hwcost.tracing.operators import OPERATORS, Operator, base_name, products
from disparsity.quant.attach import weight_quantizer
from disparsity.quant.bits import FLOAT_BITS, LayerBits
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer

_FLOAT_BYTES = 4
_FREE = ("detach", "lift_fresh", "alias", "_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty")
"""Operations that touch no element, beside the views."""
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
        counted_macs=recorder.macs,
        counted_bytes=recorder.bytes,
        modelled_bytes=recorder.modelled_bytes,
        unmodelled=tuple(recorder.unmodelled),
    )


@dataclass
class _Open:
    """A module that is running, and what it has done so far if it is a record of its own."""

    name: str
    module: nn.Module
    macs: int = 0
    operations: int = 0

    @property
    def is_record(self) -> bool:
        """Whether all work inside belongs to one record."""
        return isinstance(self.module, QUANTIZABLE) or hasattr(self.module, "workload_kind")


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Collects the calls of one run; a second `watching` starts anew."""

    def __init__(self, network: nn.Module, bits: Mapping[str, LayerBits]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.network, self.bits = network, bits
        self._reset()

    def _reset(self) -> None:
        self.calls: list[LayerCall] = []
        self.unmodelled: list[str] = []
        self.macs = self.bytes = self.modelled_bytes = 0
        self._counts: Counter[str] = Counter()
        self._open: list[_Open] = []
        self._constants: set[int] = set()
        self._hidden = 0
        self._bits = FLOAT_BITS

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Compiler frames inside of operations do not matter here, and the compiler is slow to import."""
        return False

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on every module of `network`, and this mode active, while the context lasts."""
        self._reset()
        self._constants = {_storage(value) for value in (*network.parameters(), *network.buffers())}
        with module_hooks(network, self._enter, self._leave), self:
            yield

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and note its work."""
        del types
        output = meta_result(func, args, kwargs or {})
        if not (self._hidden or func.is_view):
            self._note(func, args, kwargs or {}, output)
        return output

    def _note(self, func: Any, args: Any, kwargs: Any, output: Any) -> None:
        name, made = base_name(func), [value for value in tree_leaves(output) if isinstance(value, Tensor)]
        read = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        moving = [value for value in read if _storage(value) not in self._constants]
        if not made or name in _FREE:
            return
        sizes = sum(value.numel() for value in moving), made[0].numel()
        macs, operator = products(func, args, kwargs, output), OPERATORS.get(name)
        self.macs += macs
        self.bytes += sum(sizes) * _FLOAT_BYTES
        if operator is None:
            self._leave_out(f"operation {name}")
            return
        self.modelled_bytes += sum(sizes) * _FLOAT_BYTES
        owner = next((module for module in self._open if module.is_record), None)
        if owner is not None:
            owner.macs += macs
            owner.operations += operator.operations(*sizes)
        else:
            shapes = {"input_shape": tuple(moving[0].shape) if moving else (), "output_shape": tuple(made[0].shape)}
            self._free_standing(name, operator, macs, {**shapes, "input_elements": sizes[0]})

    def _free_standing(self, name: str, operator: Operator, macs: int, shapes: dict[str, Any]) -> None:
        where = self._open[-1].name if self._open else ""
        call = LayerCall(
            kind=operator.kind,
            activation_bits=self._bits,
            weightless_macs=macs,
            elementwise_ops=operator.operations(shapes["input_elements"], math.prod(shapes["output_shape"])),
            fused=operator.fused,
            **self._named(f"{where}.{name}" if where else name),
            **shapes,
        )
        self.calls.append(call)

    def _enter(self, name: str) -> Any:
        def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            del inputs
            self._open.append(_Open(name, module))
            self._hidden += is_hidden(module)

        return enter

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        done = self._open.pop()
        self._hidden -= is_hidden(module)
        if self._hidden or any(outer.is_record for outer in self._open):
            return
        if done.is_record:
            common = {**self._named(done.name), **_shapes(inputs, output)}
            self.calls.append(
                self._layer(done, common) if isinstance(module, QUANTIZABLE) else self._part(done, common)
            )
        elif _has_own_parameters(module):
            self._leave_out(done.name)

    def _layer(self, done: _Open, common: dict[str, Any]) -> LayerCall:
        bits = self.bits.get(done.name, FLOAT_LAYER)
        self._bits = bits.activations
        self._hidden += 1  # counting the zeros of real weights is no work of the network
        try:
            return _layer_call(self.network.get_submodule(done.name), bits, common)
        finally:
            self._hidden -= 1

    def _part(self, done: _Open, common: dict[str, Any]) -> LayerCall:
        return LayerCall(
            kind=str(done.module.workload_kind),
            activation_bits=self.bits.get(done.name, FLOAT_LAYER).activations,
            weightless_macs=done.macs,
            elementwise_ops=done.operations,
            **common,
        )

    def _named(self, name: str) -> dict[str, Any]:
        call = self._counts[name]
        self._counts[name] += 1
        return {"name": name, "call": call}

    def _leave_out(self, name: str) -> None:
        if name not in self.unmodelled:
            self.unmodelled.append(name)


def is_hidden(module: nn.Module) -> bool:
    """Whether what happens inside is no work on activations of its own: masks and quantizers."""
    return isinstance(module, parametrize.ParametrizationList | ActivationQuantizer)


def _storage(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)


def _shapes(inputs: tuple[Any, ...], output: Any) -> dict[str, Any]:
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    first = output if isinstance(output, Tensor) else next(value for value in output if isinstance(value, Tensor))
    return {
        "input_shape": tuple(tensors[0].shape) if tensors else (),
        "output_shape": tuple(first.shape),
        "input_elements": sum(value.numel() for value in tensors),
    }


def _layer_call(layer: nn.Module, bits: LayerBits, common: dict[str, Any]) -> LayerCall:
    weight, quantizer = effective_weight(layer), weight_quantizer(layer)
    return LayerCall(
        kind=_kind(layer),
        weight_count=weight.numel(),
        nnz=int(torch.count_nonzero(weight)),
        nnz_per_filter=_nnz_per_filter(layer, weight),
        bias_count=layer.bias.numel() if isinstance(layer.bias, Tensor) else 0,
        weight_bits=bits.weights if quantizer is None or quantizer.integer else FLOAT_BITS,
        activation_bits=bits.activations,
        code_bits=quantizer.levels.code_bits if quantizer and quantizer.integer else 0,
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
