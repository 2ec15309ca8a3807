"""Being told which module runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def module_hooks(
    network: nn.Module, enter: Callable[[str], Callable[..., Any]], leave: Callable[..., Any]
) -> Iterator[None]:
    """Call ``enter(name)``'s result before, and `leave` after, the forward pass of every module inside the block."""
    handles = []
    for name, module in network.named_modules():
        handles.append(module.register_forward_pre_hook(enter(name)))
        handles.append(module.register_forward_hook(leave))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
