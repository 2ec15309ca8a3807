"""Activation checkpointing of 3D parts: activations are computed again in the backward pass instead of being stored.

Source: Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016, section 4. Interpretation: a part is a module
with at most two 3D convolutions inside (a convolution with its BatchNorm, a residual, a classifier), so that of a chain
of parts one volume each is kept, and a second one lives only while its part is computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

_CONVOLUTIONS = (nn.Conv3d, nn.ConvTranspose3d)
_MOST_CONVOLUTIONS = 2
_NORMS = nn.modules.batchnorm._BatchNorm


@contextmanager
def recomputed_volumes(network: nn.Module, wanted: bool = True) -> Iterator[list[str]]:
    """Inside the block, keep of every 3D part only what goes in; gradients are the same, BatchNorm counts once.

    Yields:
        the names of the parts; none where nothing is wanted.

    """
    parts = dict(volume_parts(network)) if wanted else {}
    for part in parts.values():
        # a partial, whose copy in a copied network belongs to the copied part
        part.forward = partial(_forward, part)
    try:
        yield list(parts)
    finally:
        for part in parts.values():
            vars(part).pop("forward")  # the class's own is visible again


def volume_parts(network: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The outermost modules with one or two 3D convolutions inside, by name; bare layers, which keep nothing, aside."""
    for own, child in network.named_children():
        path = f"{name}.{own}" if name else own
        count = sum(isinstance(module, _CONVOLUTIONS) for module in child.modules())
        if count > _MOST_CONVOLUTIONS or isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from volume_parts(child, path)
        elif count and not isinstance(child, _CONVOLUTIONS):
            yield path, child


def _forward(part: nn.Module, *inputs: Any) -> Any:
    plain = partial(type(part).forward, part)
    if not torch.is_grad_enabled():
        return plain(*inputs)
    return checkpoint(plain, *inputs, use_reentrant=False, context_fn=lambda: (nullcontext(), _again(part)))


@contextmanager
def _again(part: nn.Module) -> Iterator[None]:
    """The second time BatchNorm follows its input in copies of its running statistics, which are dropped."""
    norms = [module for module in part.modules() if isinstance(module, _NORMS)]
    kept = [dict(norm._buffers) for norm in norms]
    for norm in norms:
        norm._buffers.update({name: None if held is None else held.clone() for name, held in norm._buffers.items()})
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update(buffers)
