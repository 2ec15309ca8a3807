"""Unused modules: modules of a network that its trace neither runs nor reads."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from disparsity.base.trace.operation import Operation, Trace


def unused_modules(network: nn.Module, trace: Trace) -> tuple[str, ...]:
    """The outermost modules that have parameters of which no operation reads any, in order of definition."""
    read = {value.storage for event in trace.events if isinstance(event, Operation) for value in event.read}
    names = network.named_parameters(remove_duplicate=False)
    used = {id(parameter) for name, parameter in names if trace.constants[name].storage in read}
    return tuple(_unused("", network, used))


def _unused(name: str, module: nn.Module, used: set[int]) -> Iterator[str]:
    own = [id(parameter) for parameter in module.parameters()]
    if name and own and used.isdisjoint(own):
        yield name
    elif own:
        for key, child in module.named_children():
            yield from _unused(f"{name}.{key}" if name else key, child, used)
