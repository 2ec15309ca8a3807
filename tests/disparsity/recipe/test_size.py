"""Sizes: two positive numbers with an x between them, or refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.base.errors import InputError
from disparsity.recipe.size import parse_size


def test_sizes() -> None:
    assert parse_size("544x960", "x") == (544, 960)
    assert parse_size("96X192", "x") == (96, 192)


@pytest.mark.parametrize(
    "text", ["", "x", "3x", "x3", "3", "3x4x5", "0x4", "-3x4", "3.0x4", "3 x 4", "axb", "²x3", "1e2x3"]
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match=r"data\.crop: not a size; .*expected HxW"):
        parse_size(text, "data.crop")


@given(st.text(max_size=8))
def test_sizes_are_two_positive_numbers_or_refused(text: str) -> None:
    try:
        size = parse_size(text, "x")
    except InputError:
        return
    assert all(math.isfinite(value) and value > 0 for value in size)
