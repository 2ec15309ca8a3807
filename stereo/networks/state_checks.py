"""Checks of a network's state: its names and shapes fit the network, and its values are finite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from disparsity.base.errors import InputError

_LISTED = 5


def check_state(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], *, where: Path, network: str) -> None:
    """Refuse a state whose names or shapes are not those of the network, listing the first few differences."""
    missing = [name for name in expected if name not in found and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in found if name not in expected]
    shaped = [
        f"{name} {tuple(found[name].shape)} for {tuple(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    shaped += [
        f"{name} {found[name].dtype} for {expected[name].dtype}"
        for name in expected
        if name in found and _kind(found[name]) != _kind(expected[name])
    ]
    if missing or unexpected or shaped:
        raise InputError(
            f"not a checkpoint of network '{network}'",
            where=where,
            found=f"missing {missing[:_LISTED]}, unexpected {unexpected[:_LISTED]}, mis-shaped {shaped[:_LISTED]}",
            expected=f"{len(expected)} tensors",
            remedy="name the network that the file belongs to with --network",
        )


def _kind(tensor: Tensor) -> str:
    """Floats of all widths are one kind; a copy of an integer or a bool would pass for a weight."""
    return "float" if tensor.is_floating_point() else str(tensor.dtype)


def check_finite(network: nn.Module, where: str | Path | None) -> None:
    """Refuse a network with NaN or infinity among its parameters or normalisation statistics.

    Other buffers may hold infinity, as attention masks do.

    Raises:
        InputError: a value is not finite; the first tensors with such values are named.

    """
    statistics = [(name, value) for name, value in network.named_buffers() if name.endswith(("_mean", "_var"))]
    tensors = [*network.named_parameters(), *statistics]
    wrong = [name for name, value in tensors if not is_lazy(value) and not bool(torch.isfinite(value).all())]
    if wrong:
        more = f" and {len(wrong) - _LISTED} more tensors" if len(wrong) > _LISTED else ""
        raise InputError(
            "weights are NaN or infinite",
            where=where,
            found=", ".join(wrong[:_LISTED]) + more,
            expected="finite numbers",
            remedy="the training diverged: take an earlier checkpoint",
        )
