"""Sets of codes against the levels that the papers list, and their laws."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from disparsity.base.errors import InputError
from disparsity.quant.grids.levels import Levels

KINDS = [
    Levels(1),
    Levels(2),
    Levels(4),
    Levels(8),
    Levels(3, 2),
    Levels(4, 3),
    Levels(5, 4),
    Levels(5, 2),
    Levels(8, 2),
]


@pytest.mark.parametrize("bits", range(2, 17))
def test_one_bit_a_term_is_uniform(bits: int) -> None:
    assert list(Levels(bits).sizes) == list(range(2 ** (bits - 1)))
    assert Levels(bits).code_bits == bits


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
@pytest.mark.parametrize("more", [0, 5])
def test_one_term_is_powers_of_two(bits: int, more: int) -> None:
    assert list(Levels(bits, bits - 1 + more).sizes) == [0, *(2**k for k in range(2 ** (bits - 1) - 1))]


def published(size_bits: int) -> list[float]:
    """The authors' levels, as sums over their sets of fractions."""
    sets = {
        2: ([1 / 2, 1 / 4, 1 / 8],),
        3: ([1 / 2, 1 / 4, 1 / 16], [1 / 8]),
        4: ([1 / 2, 1 / 8, 1 / 32], [1 / 4, 1 / 16, 1 / 64]),
        5: ([1 / 2, 1 / 8, 1 / 64], [1 / 4, 1 / 16, 1 / 128], [1 / 32]),
        6: ([1 / 2, 1 / 16, 1 / 128], [1 / 4, 1 / 32, 1 / 256], [1 / 8, 1 / 64, 1 / 512]),
    }[size_bits]
    sums = [0.0]
    for powers in sets:
        sums = [left + right for left in sums for right in (0.0, *powers)]
    return sorted(sums)


@pytest.mark.parametrize("bits", [3, 4, 5, 6, 7])
def test_additive_powers_of_two_are_the_published_ones(bits: int) -> None:
    expected = published(bits - 1)
    assert [size * expected[1] for size in Levels(bits, 2).sizes] == expected


@pytest.mark.parametrize("levels", KINDS)
def test_every_stored_width_is_used_up(levels: Levels) -> None:
    assert len(levels.sizes) == max(2, 2 ** (levels.bits - 1))
    assert levels.high < 2**15


@pytest.mark.parametrize("levels", KINDS)
def test_codes_are_their_own_nearest_and_ranks_fit_the_width(levels: Levels) -> None:
    sizes = np.array(levels.sizes)
    codes = np.concatenate([-sizes[::-1], sizes])
    assert torch.equal(levels.nearest(torch.tensor(codes, dtype=torch.float32)), torch.tensor(codes).float())
    ranks = levels.ranks(codes)
    assert np.array_equal(levels.codes(ranks), codes)
    assert set(ranks.tolist()) == set(range(-len(sizes) + 1, len(sizes)))


@pytest.mark.parametrize("levels", KINDS)
def test_the_memory_format_stays(levels: Levels) -> None:
    ratios = torch.randn(3, 4, 5, 6).to(memory_format=torch.channels_last)
    found = levels.nearest(ratios)
    assert found.stride() == ratios.stride()
    assert torch.equal(found, levels.nearest(ratios.contiguous()))


@settings(max_examples=80, deadline=None)
@given(ratio=st.floats(-40_000, 40_000, width=32), levels=st.sampled_from(KINDS[1:]))
def test_no_code_is_closer(ratio: float, levels: Levels) -> None:
    found = float(levels.nearest(torch.tensor([ratio])))
    assert found == levels.nearest_code(ratio)
    sizes = np.array(levels.sizes, np.float64)
    assert abs(found - ratio) == np.abs(np.concatenate([-sizes, sizes]) - ratio).min()


def test_one_bit_is_a_sign_and_nothing_becomes_zero() -> None:
    assert Levels(1).nearest(torch.tensor([1e-6, -3.0, 0.0])).tolist() == [1.0, -1.0, 0.0]
    assert [Levels(1).nearest_code(ratio) for ratio in (1e-6, -3.0, 0.0)] == [1, -1, 0]


@pytest.mark.parametrize(("bits", "term_bits"), [(6, 5), (8, 4), (17, 1)])
def test_codes_of_more_than_16_bits_are_refused(bits: int, term_bits: int) -> None:
    with pytest.raises(InputError, match="does not fit 16 bits"):
        Levels(bits, term_bits)
    with pytest.raises(InputError, match="needs bits"):
        Levels(4, 0)
