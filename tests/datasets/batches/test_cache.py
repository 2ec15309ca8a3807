"""Samples kept in memory: the same bits, fewer bytes where that is possible, a limit that holds."""

from __future__ import annotations

import pytest
import torch

from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic.scenes import STYLES
from disparsity.datasets.uri import open_data

H, W = 6, 10
PIXELS = H * W
FLOAT_BYTES, CODE_BYTES = PIXELS * (2 * 3 * 4 + 4 + 1), PIXELS * (2 * 3 * 1 + 4 + 1)


class Drawn:
    """Samples of random codes over 255, or of random floats; counts what it decodes."""

    name = "drawn"

    def __init__(self, count: int = 4, *, codes: bool) -> None:
        self._count, self._codes = count, codes
        self.decoded: list[int] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        self.decoded.append(index)
        generator = torch.Generator().manual_seed(index)
        codes = torch.randint(256, (2, 3, H, W), generator=generator, dtype=torch.uint8)
        left, right = codes.float() / 255 if self._codes else torch.rand(2, 3, H, W, generator=generator)
        disparity = torch.rand(H, W, generator=generator)
        return Sample(left, right, disparity, disparity > 0.2, f"{index}")

    def __iter__(self):
        return (self[index] for index in range(self._count))

    def ids(self) -> list[str]:
        return [f"{index}" for index in range(self._count)]

    def fingerprint(self) -> str:
        return "f"


def same_bits(first: Sample, second: Sample) -> bool:
    names = ("left", "right", "disparity", "valid")
    pairs = [(getattr(first, name).numpy(), getattr(second, name).numpy()) for name in names]
    return first.id == second.id and all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.mark.parametrize("codes", [True, False])
def test_the_same_bits_from_memory(codes):
    source = Drawn(codes=codes)
    cached = CachedDataset(source, SampleCache(1 << 20))
    first, again = list(cached), list(cached)
    assert source.decoded == [0, 1, 2, 3]
    expected = list(Drawn(codes=codes))
    assert all(same_bits(a, b) and same_bits(a, c) for a, b, c in zip(expected, first, again, strict=True))
    assert (len(cached), cached.ids(), cached.fingerprint(), cached.name) == (4, source.ids(), "f", "drawn")


def test_every_code_survives():
    view = (torch.arange(256) / 255).expand(3, 1, 256)
    sample = Sample(view, view.flip(2), torch.ones(1, 256), torch.ones(1, 256, dtype=torch.bool), "all")
    cache = SampleCache(1 << 20)
    cache.put(0, sample)
    kept = cache.get(0)
    assert kept is not None
    assert same_bits(kept, sample)


def test_minus_zero_and_values_out_of_range_survive():
    for value in (-0.0, 1.5, -0.25, float("nan"), 1e-30):
        view = torch.zeros(3, 2, 2)
        view[1, 0, 1] = value
        sample = Sample(view, view.clone(), torch.ones(2, 2), torch.ones(2, 2, dtype=torch.bool), "odd")
        cache = SampleCache(1 << 20)
        cache.put(0, sample)
        kept = cache.get(0)
        assert kept is not None
        assert same_bits(kept, sample)


@pytest.mark.parametrize(("codes", "size_bytes"), [(True, CODE_BYTES), (False, FLOAT_BYTES)])
def test_the_limit_counts_bytes_and_what_was_not_used_longest_goes(codes, size_bytes):
    source, cache = Drawn(codes=codes), SampleCache(2 * size_bytes)
    cached = CachedDataset(source, cache)
    for index in (0, 1, 0, 2, 0, 1):
        cached[index]
    assert source.decoded == [0, 1, 2, 1]
    assert len(cache) == 2
    too_small = CachedDataset(source, SampleCache(size_bytes - 1))
    assert [same_bits(too_small[0], source[0]) for _ in range(2)] == [True, True]


def test_data_sets_that_share_a_cache_share_samples_by_key_only():
    cache, first, second = SampleCache(1 << 20), Drawn(codes=True), Drawn(codes=False)
    one, other, alias = (
        CachedDataset(first, cache, "a"),
        CachedDataset(second, cache, "b"),
        CachedDataset(second, cache, "a"),
    )
    assert not same_bits(one[0], other[0])
    assert same_bits(alias[0], one[0])
    assert (first.decoded, second.decoded) == ([0], [0])


def test_synthetic_scenes_are_drawn_once_per_process_whatever_the_number_of_pairs(monkeypatch):
    uri = "synthetic:?pairs={}&size=16x16&seed=424242&max_disparity=8"
    first = open_data(uri.format(2))[1]
    monkeypatch.setitem(STYLES, "plain", lambda *_: pytest.fail("drawn again"))
    assert same_bits(open_data(uri.format(9))[1], first)
    with pytest.raises(pytest.fail.Exception, match="drawn again"):
        open_data(uri.format(2).replace("424242", "424243"))[1]
