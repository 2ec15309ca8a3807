"""The histogram's threshold against a full sort, ties by position included."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from disparsity.pruning import selection
from disparsity.pruning.selection import keep_top
from disparsity.pruning.threshold import keep_top_by_histogram

finite = st.floats(width=32, allow_nan=False)
few = st.sampled_from([-1.0, -0.0, 0.0, 1e-45, 1.0, 1.0000001])


def sorted_top(flat: Tensor, count: int) -> list[bool]:
    order = sorted(range(len(flat)), key=lambda i: (-float(flat[i]), i))
    return [i in set(order[:count]) for i in range(len(flat))]


@given(st.one_of(st.lists(finite, max_size=30), st.lists(few, max_size=30)), st.data(), st.integers(1, 9))
def test_it_equals_the_full_sort(values: list[float], data: st.DataObject, chunk: int) -> None:
    count = data.draw(st.integers(0, len(values)))
    flat = torch.tensor(values, dtype=torch.float32)
    assert keep_top_by_histogram([flat], count, chunk)[0].tolist() == sorted_top(flat, count)


@given(st.lists(few, max_size=30), st.integers(0, 30), st.integers(0, 30), st.data(), st.integers(1, 9))
def test_several_vectors_are_one_long_one(
    values: list[float], one: int, other: int, data: st.DataObject, chunk: int
) -> None:
    count = data.draw(st.integers(0, len(values)))
    cuts = sorted((min(one, len(values)), min(other, len(values))))
    flat = torch.tensor(values, dtype=torch.float32)
    masks = keep_top_by_histogram(torch.tensor_split(flat, cuts), count, chunk)
    assert [mask.numel() for mask in masks] == [cuts[0], cuts[1] - cuts[0], len(values) - cuts[1]]
    assert torch.cat(masks).tolist() == sorted_top(flat, count)


@pytest.mark.parametrize("count", [0, 1, 777, 50_000, 99_999, 100_000])
def test_long_vectors_in_several_chunks(count: int) -> None:
    flat = torch.randn(100_000, generator=torch.Generator().manual_seed(0)).mul(50).round()
    assert torch.equal(keep_top_by_histogram([flat], count, 7_001)[0], keep_top(flat, count))


def test_neighbouring_floats_are_told_apart() -> None:
    flat = torch.nextafter(torch.ones(3), torch.tensor([2.0, 0.0, 1.0]))
    assert keep_top_by_histogram([flat], 1)[0].tolist() == [True, False, False]
    assert keep_top_by_histogram([flat], 2)[0].tolist() == [True, False, True]


def test_long_vectors_are_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = torch.tensor([0.0, 2.0, 1.0, 2.0])
    expected = keep_top(flat, 3)
    monkeypatch.setattr(selection, "SORTED_AT_MOST", 3)
    monkeypatch.setattr(torch, "sort", None)
    assert torch.equal(keep_top(flat, 3), expected)
