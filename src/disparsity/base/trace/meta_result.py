"""Shapes of results on the meta device, without torch's own slow derivation of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_Shape = tuple[int, ...]


def meta_result(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What an operation returns; on the meta device, of the most frequent operations, an empty tensor of that shape.

    Torch derives the shapes of these operations in Python and imports its compiler to do so, which takes seconds.
    """
    if func is torch.ops.aten.arange.default and str(kwargs.get("device")) == "meta" and kwargs.get("dtype"):
        return torch.empty(args[0], dtype=kwargs["dtype"], device="meta")
    if func in _IN_PLACE and args[0].is_meta:
        return args[0]
    shape_rule = _SHAPE_RULES.get(func)
    tensors = [value for value in _flat(args) if isinstance(value, Tensor)]
    if shape_rule is None or kwargs or not _are_alike(tensors):
        return func(*args, **kwargs)
    shapes = shape_rule(*args)
    if not shapes:
        return func(*args, **kwargs)
    empty = [torch.empty(shape, dtype=tensors[0].dtype, device="meta") for shape in shapes]
    return tuple(empty) if len(empty) > 1 else empty[0]


def _flat(args: tuple[Any, ...]) -> Iterator[Any]:
    for value in args:
        yield from value if isinstance(value, list) else (value,)


def _are_alike(tensors: list[Tensor]) -> bool:
    return all(value.is_meta and value.is_floating_point() and value.dtype == tensors[0].dtype for value in tensors)


def _of_first(values: Tensor, *settings: Any) -> list[_Shape]:
    del settings
    return [values.shape]


def _broadcast(first: Tensor, second: Any) -> list[_Shape]:
    return [np.broadcast_shapes(first.shape, second.shape if isinstance(second, Tensor) else ())]


def _joined(parts: list[Tensor], axis: int = 0) -> list[_Shape]:
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return [tuple(shape)]


def _stacked(parts: list[Tensor], axis: int = 0) -> list[_Shape]:
    shape = list(parts[0].shape)
    shape.insert(axis % (len(shape) + 1), len(parts))
    return [tuple(shape)]


def _reduced(values: Tensor, axes: list[int], keep: bool = False) -> list[_Shape]:
    gone = {axis % values.dim() for axis in axes or range(values.dim())}
    return [tuple(1 if axis in gone else size for axis, size in enumerate(values.shape) if keep or axis not in gone)]


def _multiplied(first: Tensor, second: Tensor) -> list[_Shape]:
    """Empty where the shapes do not fit, so that torch says why."""
    fits = first.shape[0] == second.shape[0] and first.shape[2] == second.shape[1]
    return [(first.shape[0], first.shape[1], second.shape[2])] if fits else []


def _resized(values: Tensor, size: list[int], *settings: Any) -> list[_Shape]:
    del settings
    return [(*values.shape[:2], *size)]


def _convolved(
    values: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
) -> list[_Shape]:
    """Empty where the shapes do not fit, so that torch says why."""
    del bias
    axes, channels = weight.dim() - 2, weight.shape[0] if transposed else weight.shape[1] * groups
    settings = (stride, padding, dilation, output_padding)
    if values.dim() != weight.dim() or values.shape[1] != channels or any(len(each) != axes for each in settings):
        return []
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + extra + 1 if transposed else (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d, extra in zip(values.shape[2:], weight.shape[2:], *settings, strict=True)
    ]
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    return [(values.shape[0], outputs, *sizes)] if min(sizes) > 0 else []


def _pooled(values: Tensor, kernel: list[int], stride: Sequence[int] = (), *settings: Any) -> list[_Shape]:
    """Empty for the rarer forms."""
    padding: Sequence[int] = settings[0] if settings else (0, 0)
    rounds_up = len(settings) > 1 and settings[1]
    steps = stride or kernel
    if rounds_up or values.dim() != 4 or {len(kernel), len(steps), len(padding)} != {2}:
        return []
    sizes = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(values.shape[2:], kernel, steps, padding, strict=True)]
    return [(*values.shape[:2], *sizes)] if min(sizes) > 0 else []


def _normalized(values: Tensor, *settings: Any) -> list[_Shape]:
    """The result, and mean and variance of every channel."""
    del settings
    return [values.shape, (values.shape[1],), (values.shape[1],)]


_ATEN = torch.ops.aten
_IN_PLACE = {_ATEN.clamp_.default, _ATEN.mul_.Tensor, _ATEN.round_.default}
_SHAPE_RULES: dict[Any, Callable[..., list[_Shape]]] = {
    _ATEN.convolution.default: _convolved,
    _ATEN.add.Tensor: _broadcast,
    _ATEN.sub.Tensor: _broadcast,
    _ATEN.mul.Tensor: _broadcast,
    _ATEN.div.Tensor: _broadcast,
    _ATEN.abs.default: _of_first,
    _ATEN.neg.default: _of_first,
    _ATEN.exp.default: _of_first,
    _ATEN.clamp.default: _of_first,
    _ATEN.relu.default: _of_first,
    _ATEN.hardtanh.default: _of_first,
    _ATEN.leaky_relu.default: _of_first,
    _ATEN.cat.default: _joined,
    _ATEN.stack.default: _stacked,
    _ATEN.sum.dim_IntList: _reduced,
    _ATEN.mean.dim: _reduced,
    _ATEN._softmax.default: _of_first,
    _ATEN.bmm.default: _multiplied,
    _ATEN.avg_pool2d.default: _pooled,
    _ATEN.upsample_bilinear2d.default: _resized,
    _ATEN.upsample_trilinear3d.default: _resized,
    _ATEN.native_batch_norm.default: _normalized,
}
