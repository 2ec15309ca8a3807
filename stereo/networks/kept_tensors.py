"""Kept tensors: constants that a network stores outside of itself, in a global dictionary or the cache of a function.

A run on the meta device would leave constants without values there, which break every later run.
"""

from __future__ import annotations

import copy
import gc
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import TensorWeakRef

_SIZES = ((32, 64), (64, 128), (128, 256), (256, 512))
"""Heights and widths, the smallest first: networks with fixed pools cannot run at the smallest."""


class _Made(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Weak references to every tensor that is made while it is active."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tensors: list[TensorWeakRef] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and note its results."""
        del types
        output = func(*args, **(kwargs or {}))
        self.tensors += [TensorWeakRef(value) for value in tree_leaves(output) if isinstance(value, Tensor)]
        return output


def keeps_tensors(network: nn.Module, divisor: int) -> bool:
    """Whether tensors that a run of `network` makes outlive the network; a copy is run on black images.

    A network that cannot be copied, or that fails at every size that is tried, counts as one that keeps none.
    """
    for size in _SIZES:
        views = [torch.zeros(1, 3, *(-(-side // divisor) * divisor for side in size)) for _ in range(2)]
        made = _Made()
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                shadow = copy.deepcopy(network).eval()
                with made:
                    shadow(*views)
        except Exception:  # noqa: S112 - it may run at the size of its own data
            continue
        del shadow
        gc.collect()
        return any(reference() is not None for reference in made.tensors)
    return False
