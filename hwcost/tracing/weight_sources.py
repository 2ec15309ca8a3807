"""Weight sources: which parameters a tensor of a trace holds or is computed from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.trace.operation import Event, ModuleEnd, Operation, Trace, TracedTensor

_PARAMETRIZED = ".parametrizations."


class WeightSources:
    """Storages that hold parameters, or what is computed from nothing else, as far as a trace has been followed.

    Args:
        trace: whose events are followed one by one.

    """

    def __init__(self, trace: Trace) -> None:
        self._sizes = {name: value.numel() for name, value in trace.constants.items()}
        self._names: dict[int, frozenset[str]] = {}
        self._computed: set[int] = set()
        for name, value in trace.constants.items():
            self._names.setdefault(value.storage, frozenset({name}))

    def __contains__(self, storage: object) -> bool:
        """Whether the storage holds nothing but weights."""
        return storage in self._names

    def follow(self, event: Event) -> None:
        """What is computed from weights alone is a weight; behind masks and quantizers it is the layer's own."""
        if isinstance(event, Operation):
            read = {value.storage for value in event.read}
            if read and read <= self._names.keys():
                names = frozenset().union(*(self._names[storage] for storage in read))
                for value in event.made:
                    if value.storage not in read:
                        self._names[value.storage] = names
                        self._computed.add(value.storage)
        elif isinstance(event, ModuleEnd) and _PARAMETRIZED in event.stack[-1] and event.outputs:
            layer, _, tensor = event.stack[-1].partition(_PARAMETRIZED)
            if "." not in tensor:  # the whole chain of parametrizations, not one of them
                self._sizes[f"{layer}.{tensor}"] = event.outputs[0].numel()
                self._names[event.outputs[0].storage] = frozenset({f"{layer}.{tensor}"})
                self._computed.discard(event.outputs[0].storage)

    def sources(self, tensor: TracedTensor) -> frozenset[str]:
        """The names of the parameters behind a tensor."""
        return self._names[tensor.storage]

    def name(self, weight: TracedTensor) -> str:
        """The largest parameter behind a weight, with a place in brackets where the weight is only a part of it."""
        name = max(sorted(self.sources(weight)), key=self._sizes.__getitem__)
        is_part = weight.storage not in self._computed and weight.numel() < self._sizes[name]
        return f"{name}[{weight.offset}]" if is_part else name

    def value(self, network: nn.Module, weight: TracedTensor, shape: tuple[int, ...]) -> Tensor:
        """The values of a weight in this shape; ones, of which none is zero, where they are computed on the way."""
        owner, _, tensor = self.name(weight).rpartition(".")
        values = getattr(network.get_submodule(owner), tensor, None) if weight.storage not in self._computed else None
        if not isinstance(values, Tensor) or values.numel() != weight.numel():
            return torch.ones(shape)
        values = values.detach()
        if tuple(values.shape) != shape and tuple(values.mT.shape) == shape:
            values = values.mT
        return values.reshape(shape)
