"""Calls of layers in a user's network: each layer as it was built, and its weight only in its own calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers
from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import Operation
from disparsity.stereo.network import StereoNetwork


@contextmanager
def unchanging_layers(network: StereoNetwork) -> Iterator[None]:
    """Refuse layers that are no fixed function while the block runs the network.

    Raises:
        InputError: a layer that is to be compressed has another stride, padding or dilation in a call than
            before the run.

    """
    layers = {name: layer for name, layer in quantizable_layers(network).items() if network.spec.compresses(name)}
    found = {name: {_geometry(layer)} for name, layer in layers.items()}
    handles = []
    for name, layer in layers.items():

        def note(layer: nn.Module, _args: object, name: str = name) -> None:
            found[name].add(_geometry(layer))

        handles.append(layer.register_forward_pre_hook(note))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    changing = [name for name, values in found.items() if len(values) > 1]
    if changing:
        raise InputError(
            "a layer is changed by the network's forward",
            where=network.spec.name,
            found=f"{changing[0]} with {' and with '.join(sorted(found[changing[0]]))}",
            expected="a layer that stays as it was built, or its name in the spec's `uncompressed`",
        )


def _geometry(layer: nn.Module) -> str:
    return ", ".join(f"{key} {getattr(layer, key)}" for key in ("stride", "padding", "dilation") if hasattr(layer, key))


def check_weights(network: StereoNetwork, left: Tensor, right: Tensor) -> None:
    """Refuse weights that are used without calling their layer, where no quantizer of its input could act.

    Raises:
        InputError: a layer that is to be compressed has such a weight.

    """
    trace = trace_network(network, (left, right))
    layers = [name for name in quantizable_layers(network) if network.spec.compresses(name)]
    owners = {trace.constants[key].storage: name for name in layers if (key := f"{name}.weight") in trace.constants}
    for event in trace.events:
        if not isinstance(event, Operation) or event.is_view:
            continue
        used = [owners[value.storage] for value in event.read if value.storage in owners]
        outside = [name for name in used if event.stack[-1:] != (name,)]
        if outside:
            raise InputError(
                "a weight is used without calling its layer",
                where=network.spec.name,
                found=f"{outside[0]}.weight in {event.name} at {'.'.join(event.stack[-1:]) or 'the network itself'}",
                remedy="call the layer, or name it in the spec's `uncompressed`",
            )
