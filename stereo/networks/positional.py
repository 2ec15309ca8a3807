"""Positional calls: arguments that a user's network passes to its modules by name, passed by position.

Masks, quantizers and everything that watches a layer take the first argument of a call as its input. So
``self.conv(input=x)`` has to reach them as ``self.conv(x)``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn


def call_by_position(network: nn.Module) -> None:
    """Let every module of a network receive the arguments of its calls by position, wherever its forward allows it."""
    for module in network.modules():
        if _by_position not in module._forward_pre_hooks.values():
            module.register_forward_pre_hook(_by_position, with_kwargs=True, prepend=True)


def _by_position(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    if not kwargs:
        return None
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs)
    except TypeError:  # the call itself says what is wrong
        return None
    return bound.args, bound.kwargs
