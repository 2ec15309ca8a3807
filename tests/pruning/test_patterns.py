"""Names of N:M patterns."""

from __future__ import annotations

import pytest

from disparsity.pruning.patterns import group_law


def test_any_n_of_m_is_a_pattern() -> None:
    assert group_law("2:4") == (2, 4)
    assert group_law("1:16") == (1, 16)


@pytest.mark.parametrize("name", ["elements", "2:", ":4", "2:4:8", "a:b", "-1:4", "1:9999", "4:4", "5:4", "0:4"])
def test_other_names_are_none(name: str) -> None:
    assert group_law(name) is None
