"""Names of patterns."""

from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.pruning.patterns import PATTERNS, check_pattern, group_law


def test_any_n_of_m_is_a_pattern() -> None:
    assert group_law("2:4") == (2, 4)
    assert group_law("1:16") == (1, 16)
    for name in (*PATTERNS, "3:8"):
        check_pattern(name)


@pytest.mark.parametrize("name", ["elements", "2:", ":4", "2:4:8", "a:b", "-1:4", "1:9999"])
def test_other_names_are_refused(name: str) -> None:
    assert group_law(name) is None
    with pytest.raises(InputError, match="unknown pattern"):
        check_pattern(name)


@pytest.mark.parametrize("name", ["4:4", "5:4", "0:4"])
def test_impossible_laws_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected 0 < N < M"):
        check_pattern(name)
