"""Which layer's output is read by which operations, observed in one forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from disparsity.base.eval_mode import evaluating

OTHER = None
"""Stands for a reader or a source that is not among the modules asked for."""


@dataclass(kw_only=True)
class Dataflow:
    """Edges between modules, one entry per tensor and call.

    Attributes:
        readers: by producer in order of execution, who reads its outputs: a consumer, or None for anything else,
            such as an addition, the network's output, or nobody.
        sources: by consumer, who made its inputs: a producer, or None for anything else.

    """

    readers: dict[nn.Module, list[nn.Module | None]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[nn.Module, set[nn.Module | None]] = field(default_factory=lambda: defaultdict(set))


class _CountReads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how often every tensor is an argument of an operation, whoever calls it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reads: dict[int, int] = defaultdict(int)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        for leaf in tree_leaves((args, dict(kwargs or {}))):
            if isinstance(leaf, Tensor):
                self.reads[id(leaf)] += 1
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def record_dataflow(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    *,
    producers: tuple[type[nn.Module], ...],
    consumers: tuple[type[nn.Module], ...],
) -> Dataflow:
    """Run the network once in eval mode and match tensors by identity.

    Module hooks say who made a tensor and which consumer got it; the operations below them say whether anything else
    read it, also outside of modules. Train and eval modes are restored.
    """
    made: dict[int, tuple[Tensor, nn.Module]] = {}
    taken: dict[int, list[nn.Module]] = defaultdict(list)
    flow, counter = Dataflow(), _CountReads()

    def after(module: nn.Module, _: tuple[Any, ...], output: Tensor) -> None:
        # The identity may have been that of a tensor that is gone; kept alive, no later tensor can get it.
        made[id(output)] = (output, module)
        counter.reads.pop(id(output), None)
        taken.pop(id(output), None)

    def before(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        taken[id(arguments[0])].append(module)
        flow.sources[module].add(made[id(arguments[0])][1] if id(arguments[0]) in made else OTHER)

    handles = [m.register_forward_hook(after) for m in network.modules() if isinstance(m, producers)]
    handles += [m.register_forward_pre_hook(before) for m in network.modules() if isinstance(m, consumers)]
    try:
        with evaluating(network), counter:
            outputs = network(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    returned = {id(leaf) for leaf in tree_leaves(outputs)}
    for key, (_, producer) in made.items():
        private = len(taken[key]) == 1 and counter.reads[key] == 1 and key not in returned
        flow.readers[producer].append(taken[key][0] if private else OTHER)
    return flow
