"""Workload: the work of every layer call of a trace.

The zeros are counted in the network's effective weights. A layer or a part that declares a `workload_kind` is one
record; every tensor operation outside of them is one too.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any, cast

from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE, is_plain
from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import ModuleEnd, Operation, Trace
from disparsity.base.trace.unused import unused_modules
from disparsity.hwcost.tracing.functional_layer import FunctionalLayer, functional_layer
from disparsity.hwcost.tracing.layer_call import FLOAT_LAYER, LayerCall, Workload
from disparsity.hwcost.tracing.layer_record import layer_record
from disparsity.hwcost.tracing.operators import OPERATORS, Operator, most_products, products
from disparsity.hwcost.tracing.parameters import inference_parameters, inference_statistics, is_below
from disparsity.hwcost.tracing.weight_sources import WeightSources
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
    """Run `network` on `inputs`, of which only the shapes matter, and count as `workload_of`.

    Raises:
        InputError: as `workload_of`.

    """
    return workload_of(network, trace_network(network, inputs), bits, training_only)


def workload_of(
    network: nn.Module,
    trace: Trace,
    bits: Mapping[str, LayerBits] | None = None,
    training_only: Collection[str] = (),
) -> Workload:
    """The work of every call in a trace.

    Args:
        network: that the trace is of; masks and quantizers may be attached.
        trace: in eval mode.
        bits: by layer name; a layer that is not named is in float.
        training_only: modules that inference leaves out; their parameters and buffers are not counted.

    Raises:
        InputError: `bits` names a layer that the network does not have.

    """
    bits = bits or {}
    unknown = sorted(set(bits) - {name for name, _ in network.named_modules()})
    if unknown:
        raise InputError("bits for a layer that the network does not have", found=unknown[0])
    count = _Count(network, trace, bits)
    unused = [name for name in unused_modules(network, trace) if not is_below(name, training_only)]
    left_out = (*training_only, *unused)
    return Workload(
        calls=tuple(count.calls),
        parameters=inference_parameters(network, left_out),
        buffers=inference_statistics(network, left_out),
        counted_macs=count.macs,
        unknown_macs=count.unknown_macs,
        counted_bytes=count.bytes,
        modelled_bytes=count.modelled_bytes,
        unmodelled=(*count.unmodelled, *(f"{name} (never runs)" for name in unused)),
    )


class _Count:
    """The records of one trace, in order."""

    def __init__(self, network: nn.Module, trace: Trace, bits: Mapping[str, LayerBits]) -> None:
        self.calls: list[LayerCall] = []
        self.unmodelled: dict[str, None] = {}
        self.macs = self.unknown_macs = self.bytes = self.modelled_bytes = 0
        self._modules, self._bits = dict(network.named_modules()), bits
        self._records = {name for name, module in self._modules.items() if _is_record(module)}
        self._hidden = {name for name, module in self._modules.items() if is_hidden(module)}
        self._network, self._trace = network, trace
        self._constants = {value.storage for value in trace.constants.values()}
        self._weights = WeightSources(trace)
        self._covered: set[str] = set()  # weights and biases of functional layers
        self._read: set[str] = set()  # parameters that other operations read
        self._numbers: Counter[str] = Counter()
        self._inside: dict[str, Counter[str]] = defaultdict(Counter)  # work in records that are not yet at their end
        self._last_bits = FLOAT_BITS
        for event in trace.events:
            self._weights.follow(event)
            if isinstance(event, Operation) and self._hidden.isdisjoint(event.stack) and not event.is_view:
                self._operation(event)
            elif isinstance(event, ModuleEnd) and self._hidden.isdisjoint(event.stack[:-1]):
                self._module(event)

    def _operation(self, event: Operation) -> None:
        moving = [value for value in event.read if value.storage not in self._constants]
        if not event.made or event.operator in _FREE:
            return
        read, made = sum(value.numel() for value in moving), event.made[0].numel()
        counted, operator = products(event), OPERATORS.get(event.operator)
        macs = counted or 0
        self.macs += macs
        self.bytes += (read + made) * _FLOAT_BYTES
        if operator is None:
            self.unknown_macs += most_products(event) if counted is None else 0
            self.unmodelled[f"operation {event.operator}"] = None
            return
        self.modelled_bytes += (read + made) * _FLOAT_BYTES
        owner = next((name for name in event.stack if name in self._records), None)
        if owner is not None:
            self._inside[owner].update(macs=macs, operations=operator.operations(read, made))
        elif (found := functional_layer(event, self._weights)) is not None:
            self._functional(event, found)
        else:
            shapes = {"input_shape": moving[0].shape if moving else (), "output_shape": event.made[0].shape}
            self._free_standing(event, operator, macs, {**shapes, "input_elements": read})

    def _free_standing(self, event: Operation, operator: Operator, macs: int, shapes: dict[str, Any]) -> None:
        for value in event.read:
            self._read |= self._weights.sources(value) if value.storage in self._weights else set()
        where = event.stack[-1] if event.stack else ""
        call = LayerCall(
            kind=operator.kind,
            activation_bits=self._last_bits,
            weightless_macs=macs,
            elementwise_ops=operator.operations(shapes["input_elements"], math.prod(shapes["output_shape"])),
            fused=operator.fused,
            **self._named(f"{where}.{event.operator}" if where else event.operator),
            **shapes,
        )
        self.calls.append(call)

    def _functional(self, event: Operation, found: FunctionalLayer) -> None:
        """A layer without a module of torch is in float; it is named after its weight, or after its own module."""
        module = event.stack[-1] if event.stack else ""
        name = module if isinstance(self._modules[module], QUANTIZABLE) else self._weights.name(found.weight)
        common = {
            **self._named(name),
            "input_shape": found.inputs.shape,
            "output_shape": event.made[0].shape,
            "input_elements": found.inputs.numel(),
        }
        self._last_bits = FLOAT_BITS
        weight = self._weights.value(self._network, found.weight, tuple(cast(Tensor, found.layer.weight).shape))
        self.calls.append(layer_record(found.layer, FLOAT_LAYER, common, weight))
        for operand in (found.weight, found.bias):
            self._covered |= self._weights.sources(operand) if operand is not None else set()

    def _module(self, event: ModuleEnd) -> None:
        name = event.stack[-1]
        if not self._records.isdisjoint(event.stack[:-1]) or name in self._hidden:
            return
        module = self._modules[name]
        if name in self._records:
            common = {**self._named(name), **_shapes(event)}
            bits, done = self._bits.get(name, FLOAT_LAYER), self._inside.pop(name, Counter())
            if is_plain(module):
                self._last_bits = bits.activations
                self.calls.append(layer_record(module, bits, common))
            else:
                self.calls.append(_part(module, bits, done, common))
        elif _has_own_parameters(module) and not self._is_covered(name):
            self.unmodelled[name] = None

    def _is_covered(self, name: str) -> bool:
        """Whether a module's parameters are weights and biases of functional layers."""
        own = {f"{name}.{key}" if name else key for key, _ in self._modules[name].named_parameters(recurse=False)}
        return bool(own & self._covered) and own <= self._covered | self._read

    def _named(self, name: str) -> dict[str, Any]:
        call = self._numbers[name]
        self._numbers[name] += 1
        return {"name": name, "call": call}


def is_hidden(module: nn.Module) -> bool:
    """Whether what happens inside is no work on activations of its own: masks and quantizers."""
    return isinstance(module, parametrize.ParametrizationList | ActivationQuantizer)


def _is_record(module: nn.Module) -> bool:
    """Whether all work inside belongs to one record."""
    return is_plain(module) or hasattr(module, "workload_kind")


def _part(module: nn.Module, bits: LayerBits, done: Counter[str], common: dict[str, Any]) -> LayerCall:
    return LayerCall(
        kind=str(module.workload_kind),
        activation_bits=bits.activations,
        weightless_macs=done["macs"],
        elementwise_ops=done["operations"],
        **common,
    )


def _shapes(event: ModuleEnd) -> dict[str, Any]:
    return {
        "input_shape": event.inputs[0].shape if event.inputs else (),
        "output_shape": event.outputs[0].shape,
        "input_elements": sum(value.numel() for value in event.inputs),
    }


def _has_own_parameters(module: nn.Module) -> bool:
    if isinstance(module, (*_NORMALIZATIONS, parametrize.ParametrizationList, WeightQuantizer, ActivationQuantizer)):
        return False
    return any(True for _ in module.parameters(recurse=False))
