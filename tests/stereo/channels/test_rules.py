"""Laws that an operator in the table must obey, tried on torch's own operators."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from disparsity.stereo.channels.pointwise import unchanged
from disparsity.stereo.channels.rules import RULES

ATEN = torch.ops.aten
ELEMENTWISE = [name for name, rule in RULES.items() if rule is unchanged]
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "hardtanh": (),
    "native_dropout": (0.5, False),
    "leaky_relu": (0.2,),
    "sum": ([2, 3], True),
    "mean": ([2, 3], True),
    "avg_pool2d": ([2, 2],),
    "_adaptive_avg_pool2d": ([2, 2],),
    "adaptive_max_pool2d": ([2, 2],),
    "max_pool2d_with_indices": ([2, 2],),
    "upsample_bilinear2d": ([8, 8], True),
    "upsample_bicubic2d": ([8, 8], False),
    "upsample_nearest2d": ([8, 8],),
    "_upsample_nearest_exact2d": ([8, 8],),
    "_upsample_bilinear2d_aa": ([8, 8], False),
    "reflection_pad2d": ([1, 1, 1, 1],),
    "replication_pad2d": ([1, 1, 1, 1],),
    "constant_pad_nd": ([1, 1, 1, 1],),
}


def applied(name: str) -> Callable[[Tensor], Tensor]:
    operator = getattr(ATEN, name)

    def run(values: Tensor) -> Tensor:
        result = operator(values, *ARGUMENTS.get(name, ()))
        return result[0] if isinstance(result, tuple) else result

    return run


@pytest.mark.parametrize("name", sorted({*ELEMENTWISE, *ARGUMENTS}))
def test_channels_neither_mix_nor_leave_zero(name: str) -> None:
    run = applied(name)
    values = torch.rand(2, 5, 4, 4, generator=torch.Generator().manual_seed(1))
    values[:, 2] = 0.0
    kept = torch.tensor([0, 1, 3])
    whole = run(values)
    assert bool((whole[:, 2] == 0).all())
    torch.testing.assert_close(run(values[:, kept]), whole[:, kept])


def test_every_operator_exists() -> None:

    assert [name for name in RULES if not hasattr(ATEN, name)] == []
