"""Host operations: the operations of a network outside of its integer layers."""

from __future__ import annotations

from collections import Counter

from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE
from disparsity.base.trace.operation import Operation, Trace
from disparsity.quant.integer.network import integer_layers

_BOOKKEEPING = ("detach", "alias", "_unsafe_view", "empty", "empty_like", "split", "lift_fresh", "clone", "_to_copy")


def host_operations(network: nn.Module, trace: Trace) -> Counter[tuple[str, str]]:
    """How often each operation runs outside of the integer layers, by (name of the module, operator).

    Raises:
        InputError: a convolution or a linear layer runs in float.

    """
    counts: Counter[tuple[str, str]] = Counter()
    modules, integer = dict(network.named_modules()), integer_layers(network)
    for event in trace.events:
        if not isinstance(event, Operation) or not integer.keys().isdisjoint(event.stack):
            continue
        name = event.stack[-1] if event.stack else ""
        _check_integer(name, modules[name], event.operator)
        if not (event.is_view or event.operator in _BOOKKEEPING):
            counts[name, event.operator] += 1
    return counts


def _check_integer(name: str, module: nn.Module, operator: str) -> None:
    kinds = [kind.__name__ for kind in QUANTIZABLE if isinstance(module, kind)]
    if kinds or "convolution" in operator:
        raise InputError(
            "the target has integer layers only",
            where=name or "the network itself",
            found=f"{(kinds or [operator])[0]} in float",
            remedy="quantize weights and input of this layer",
        )
