"""Tensor operations outside of layers: what kind of work each is, and how many scalar operations it takes.

Products and sums count the same; reading, writing and moving count as traffic, not as operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import flop_registry

from disparsity.base.trace.operation import Operation, TracedTensor

Count = Callable[[int, int], int]


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One kind of tensor operation.

    Attributes:
        kind: the name in reports.
        operations: ``(input elements, output elements)`` to scalar operations.
        fused: done while the output of the layer before is still in registers, so that only further operands move.

    """

    kind: str
    operations: Count
    fused: bool = False


def _per_output(count: int) -> Count:
    return lambda _, outputs: count * outputs


def _per_input(inputs: int, _: int) -> int:
    return inputs


_POINTWISE = Operator(kind="elementwise", operations=_per_output(1), fused=True)
_ACTIVATION = Operator(kind="activation", operations=_per_output(1), fused=True)
_NORMALISATION = Operator(kind="normalisation", operations=_per_output(2), fused=True)  # a product and a sum
_MOVE = Operator(kind="copy", operations=_per_output(0))
_REDUCE = Operator(kind="reduction", operations=_per_input)
_SOFTMAX = Operator(kind="softmax", operations=_per_output(5))  # largest, difference, exponential, sum, quotient
_PRODUCT = Operator(kind="matrix_product", operations=_per_output(0))  # its products count as MACs
_POOL = Operator(kind="pooling", operations=_per_input)


def _up(operations: int) -> Operator:
    """Blending n neighbours is n products and n - 1 sums."""
    return Operator(kind="upsampling", operations=_per_output(operations))


def _warp(operations: int) -> Operator:
    return Operator(kind="warping", operations=_per_output(operations))


OPERATORS: dict[str, Operator] = {
    **dict.fromkeys(("add", "sub", "rsub"), Operator(kind="add", operations=_per_output(1), fused=True)),
    **dict.fromkeys(
        ("mul", "div", "neg", "abs", "exp", "log", "pow", "sqrt", "rsqrt", "reciprocal", "square", "floor", "ceil",
         "round", "remainder", "floor_divide", "where", "gt", "ge", "lt", "le", "eq", "ne", "logical_and",
         "logical_or", "logical_not", "bitwise_and", "bitwise_or", "bitwise_not", "maximum", "minimum", "masked_fill",
         "sin", "cos", "tan", "atan", "atan2", "erf", "sign", "trunc", "fmod", "log1p", "expm1", "addcmul", "isnan"),
        _POINTWISE,
    ),
    **dict.fromkeys(
        ("relu", "sigmoid", "tanh", "clamp", "clamp_min", "clamp_max", "hardtanh", "elu", "gelu", "silu"), _ACTIVATION
    ),
    **dict.fromkeys(("leaky_relu", "_prelu_kernel", "softplus", "hardswish", "hardsigmoid", "mish"),
                    Operator(kind="activation", operations=_per_output(2), fused=True)),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "cudnn_batch_norm",
         "batch_norm", "native_group_norm", "native_layer_norm"),
        _NORMALISATION,
    ),
    **dict.fromkeys(("_softmax", "_safe_softmax", "_log_softmax"), _SOFTMAX),
    **dict.fromkeys(("sum", "mean", "amax", "amin", "max", "min", "argmax", "argmin", "var", "var_mean", "cumsum",
                     "linalg_vector_norm", "norm", "topk", "sort", "any", "all"), _REDUCE),
    **dict.fromkeys(("avg_pool2d", "avg_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices",
                     "_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), _POOL),
    # deterministic mode gathers the neighbours (_unsafe_index) and blends them in operations of their own
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact2d",
                     "_unsafe_index"), _up(0)),
    "upsample_linear1d": _up(3),
    "upsample_bilinear2d": _up(7),
    "upsample_bicubic2d": _up(31),
    "upsample_trilinear3d": _up(15),
    "grid_sampler_2d": _warp(7),
    "grid_sampler_3d": _warp(15),
    **dict.fromkeys(
        ("cat", "stack", "copy", "clone", "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "zeros", "ones",
         "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_full", "new_ones",
         "fill", "zero", "arange", "linspace", "scalar_tensor", "index",
         "index_select", "index_put", "gather", "scatter", "slice_scatter", "select_scatter", "repeat", "roll", "flip",
         "_to_copy", "im2col", "col2im", "meshgrid", "lift_fresh_copy", "resolve_conj", "pixel_shuffle"),
        _MOVE,
    ),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm", "convolution", "_convolution"), _PRODUCT),
}  # fmt: skip
"""By the name of the torch operation, without namespace, overload and the underscore of in-place forms."""


def products(operation: Operation) -> int | None:
    """Multiply-accumulates of one operation by torch's own formula; None for what has none."""
    if operation.operator == "_trilinear":
        return _trilinear(*operation.args[:6])
    formula = flop_registry.get(operation.function._overloadpacket)
    if formula is None:
        return None
    args, kwargs, output = map(_empty, (operation.args, operation.kwargs, operation.output))
    return int(formula(*args, **kwargs, out_val=output)) // 2


def _trilinear(*factors_and_axes: Any) -> int:
    """Weights used by `nn.Bilinear`: every factor gets new axes, and the three are multiplied as one another's size."""
    shapes = []
    for factor, axes in zip(factors_and_axes[:3], factors_and_axes[3:], strict=True):
        shape = list(factor.shape)
        for axis in axes:
            shape.insert(axis, 1)
        shapes.append(shape)
    return math.prod(np.broadcast_shapes(*shapes))


def most_products(operation: Operation) -> int:
    """Multiply-accumulates that an operation without a formula does at the most.

    Every index of a sum of products stands in at least two of its tensors, results included; so there are no more
    products than the square root of all their sizes multiplied (Atserias, Grohe and Marx, 2008). It is exact for a
    matrix product, and of an operation on single elements it is their number.
    """
    sizes = [value.numel() for value in (*operation.read, *operation.made[:1])]
    return math.isqrt(math.prod(sizes)) if operation.read else 0


def _empty(values: Any) -> Any:
    """Tensors without values in place of traced ones: torch's formulas read their shapes."""
    if isinstance(values, TracedTensor):
        return torch.empty(values.shape, dtype=values.dtype, device="meta")
    if isinstance(values, dict):
        return {key: _empty(value) for key, value in values.items()}
    return type(values)(map(_empty, values)) if isinstance(values, list | tuple) else values
