from __future__ import annotations

import math

import numpy as np
import pytest

from disparsity.hwcost.formats import FORMATS, n_of_m


def two_of_four(filters: int, channels: int, area: int) -> np.ndarray:
    """At most two of every four input channels, at every position of the kernel by themselves."""
    rng = np.random.default_rng(2)
    kept = rng.random((filters, area, channels // 4, 4)).argsort(3) < 2
    codes = rng.choice([-3, -1, 2, 3], kept.shape) * kept
    return codes.reshape(filters, area, channels).swapaxes(1, 2).reshape(filters, -1).astype(np.int64)


@pytest.mark.parametrize("area", [1, 9, 25, 27])
def test_two_of_four_input_channels_take_half_the_codes_and_two_bits_each(area: int) -> None:
    codes = two_of_four(8, 16, area)
    assert n_of_m.best_plan(codes, 4) == n_of_m.Plan(kept=2, block=4, stride=area)
    assert FORMATS["n_of_m"].size(codes, 4) == math.ceil((26 + codes.size // 2 * (4 + 2)) / 8)


def test_two_of_four_of_the_anchor_layer_by_hand() -> None:
    codes = two_of_four(16, 32, 27)
    assert codes.size == 13824
    assert FORMATS["n_of_m"].size(codes, 8) == 6912 + 6912 * 2 // 8 + 4  # values, two bits each, what stands in front
