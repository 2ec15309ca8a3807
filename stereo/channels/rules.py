"""Which rule belongs to which operator. What is not in this table is not followed."""

from __future__ import annotations

from disparsity.stereo.channels.axes import (
    averaged,
    concatenated,
    cut,
    permuted,
    squeezed,
    stacked,
    summed,
    transposed,
    turned,
    unsqueezed,
)
from disparsity.stereo.channels.follow import Rule
from disparsity.stereo.channels.pointwise import (
    added,
    clamped,
    divided,
    multiplied,
    padded,
    powered,
    rectified,
    spatial,
    unchanged,
)

_ZERO_STAYS_ZERO = (
    *("abs", "alias", "clone", "detach", "lift_fresh", "_to_copy", "zeros_like", "native_dropout"),
    *("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "hardswish", "tanh", "atan", "erf", "sin"),
    *("neg", "sign", "sqrt", "square", "round", "trunc"),
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(_ZERO_STAYS_ZERO, unchanged),
    "hardtanh": clamped(-1.0, 1.0),
    "clamp": clamped(None, None),
    "clamp_min": clamped(None, None),
    "pow": powered,
    "_prelu_kernel": rectified,
    "add": added,
    "sub": added,
    "mul": multiplied,
    "div": divided,
    "cat": concatenated,
    "stack": stacked,
    "split": cut(2),
    "split_with_sizes": cut(2),
    "slice": cut(1),
    "unbind": cut(1, removes=True),
    "select": cut(1, removes=True),
    "unsqueeze": unsqueezed,
    "squeeze": squeezed,
    "permute": permuted,
    "transpose": transposed,
    "flip": turned(1),
    "roll": turned(2),
    "constant_pad_nd": padded,
    "mean": averaged,
    "sum": summed,
    **{f"{kind}_pad{axes}d": spatial(axes) for kind in ("reflection", "replication") for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": spatial(axes) for axes in (1, 2, 3)},
    **{f"{kind}_pool{axes}d": spatial(axes) for kind in ("_adaptive_avg", "adaptive_max") for axes in (2, 3)},
    **{f"max_pool{axes}d_with_indices": spatial(axes) for axes in (2, 3)},
    **{f"upsample_{kind}2d": spatial(2) for kind in ("nearest", "bilinear", "bicubic")},
    "_upsample_nearest_exact2d": spatial(2),
    "_upsample_bilinear2d_aa": spatial(2),
    "upsample_linear1d": spatial(1),
    "upsample_nearest1d": spatial(1),
    "upsample_nearest3d": spatial(3),
    "upsample_trilinear3d": spatial(3),
    "grid_sampler_2d": spatial(2),
    "grid_sampler_3d": spatial(3),
}
"""By the operator's name without the underscore of its in-place form."""

IN_PLACE = {*_ZERO_STAYS_ZERO, "hardtanh", "clamp", "clamp_min", "pow", "add", "sub", "mul", "div"}
"""What may also be done in place: nothing that changes the shape, which a rule could no longer see."""
