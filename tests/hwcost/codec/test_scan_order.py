"""The walk over filters: enough room for every value, and neighbours that hold something make values cheaper."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.range_coder import Encoder
from disparsity.hwcost.codec.scan_order import most_bits
from disparsity.hwcost.codec.weight_coder import code_positions

pytestmark = pytest.mark.usefixtures("compiled")


def coded_bytes(values: np.ndarray, *, sizes: bool = False) -> int:
    encoder = Encoder()
    code_positions(LogisticModel(encoder), values.flatten(), values.shape, sizes=sizes)
    return len(encoder.finish())


def test_the_most_bits_of_a_filter_by_hand() -> None:
    # 2 kernels, 6 elements; two values of a sign and at most 2 x 3 bits each, 5 having 3 digits
    assert most_bits(np.array([[0, 5, 0], [0, -2, 0]])) == 2 + 6 + 2 * (1 + 6)
    assert most_bits(np.zeros((2, 3), np.int64)) == 2 + 6
    assert most_bits(np.array([[-(2**63)]])) == 1 + 1 + 1 + 2 * 64


def test_positions_that_repeat_cost_less_than_the_same_number_anywhere() -> None:
    generator = np.random.default_rng(0)
    crosses = np.zeros((16, 16, 3, 3), np.int64)
    crosses[:, :, 1, :] = 1
    anywhere = generator.permutation(crosses.ravel()).reshape(crosses.shape)
    assert coded_bytes(crosses) < coded_bytes(anywhere) / 5


def test_channels_that_hold_nothing_anywhere_cost_next_to_nothing() -> None:
    generator = np.random.default_rng(0)
    few = (generator.random((16, 8, 3, 3)) < 0.3).astype(np.int64)
    padded = np.zeros((16, 64, 3, 3), np.int64)
    padded[:, ::8] = few
    assert coded_bytes(padded) < coded_bytes(few) + 20


def test_small_sizes_cost_less_than_large_ones() -> None:
    generator = np.random.default_rng(0)
    signs = generator.choice([-1, 1], (8, 8, 9))
    large = generator.integers(1, 128, signs.shape) * signs
    # signs alone are a bit each, sizes of 7 bits nearly seven more
    assert coded_bytes(signs, sizes=True) < signs.size / 8 + 40
    assert coded_bytes(large, sizes=True) > 7 * signs.size / 8
