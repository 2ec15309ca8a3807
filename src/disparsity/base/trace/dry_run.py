"""Trace of a network on shapes alone: a copy on the meta device, without gradients."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from disparsity.base.determinism import usual_operators
from disparsity.base.eval_mode import evaluating
from disparsity.base.trace.operation import Trace
from disparsity.base.trace.recorder import Recorder


def trace_network(network: nn.Module, inputs: Sequence[Tensor], *, training: bool = False) -> Trace:
    """Run `network` once and return its trace.

    A network that looks at values (``.item()``, branches, NumPy) cannot run on the meta device; then it computes on
    `inputs`, and in training mode moves its running statistics. So does one whose attribute `needs_values` is true.

    Args:
        network: its modes are restored.
        inputs: positional arguments; where the network allows that, only their shapes are used.
        training: whether it runs in training mode.

    """
    with torch.no_grad(), usual_operators(), _separate_operators():
        if getattr(network, "needs_values", False):
            return _computed(network, inputs, training=training)
        try:
            shadow = copy.deepcopy(network).to("meta").train(training)
            return _recorded(shadow, tuple(value.to("meta") for value in inputs), computed=False)
        except Exception:  # whatever the code of a network does where tensors have no values
            return _computed(network, inputs, training=training)


def _computed(network: nn.Module, inputs: Sequence[Tensor], *, training: bool) -> Trace:
    with evaluating(network):
        network.train(training)
        return _recorded(network, tuple(inputs), computed=True)


def _recorded(network: nn.Module, inputs: tuple[Tensor, ...], *, computed: bool) -> Trace:
    recorder = Recorder(network)
    with recorder.watching(network):
        outputs: Any = network(*inputs)
    return recorder.trace(outputs, computed=computed)


@contextmanager
def _separate_operators() -> Iterator[None]:
    """Attention as the matrix products that it is made of, not as one fused operator."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel([SDPBackend.MATH]):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
