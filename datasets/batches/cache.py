"""Cache of decoded samples in memory, in fewer bytes where that changes no bit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from disparsity.datasets.sample import Sample, StereoDataset, has_ground_truth


class SampleCache:
    """The samples used last, up to a number of bytes.

    Args:
        limit_bytes: of tensor contents; a sample that alone is larger is not kept.

    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._samples: OrderedDict[Hashable, _Stored] = OrderedDict()

    def get(self, key: Hashable) -> Sample | None:
        """The sample stored under `key`, bit by bit as it was given, or None."""
        stored = self._samples.get(key)
        if stored is None:
            return None
        self._samples.move_to_end(key)
        return _unpacked(stored)

    def put(self, key: Hashable, sample: Sample) -> None:
        """Keep a sample under a new key, and forget those not used for longest until the limit holds."""
        stored = _packed(sample)
        self._samples[key] = stored
        self._bytes += stored.size_bytes
        while self._bytes > self._limit:
            _, oldest = self._samples.popitem(last=False)
            self._bytes -= oldest.size_bytes

    def __len__(self) -> int:
        return len(self._samples)


class CachedDataset:
    """A data set whose samples are decoded once while they fit; satisfies `StereoDataset`.

    Samples from memory may share it: whoever changes one in place changes it for every user of the cache.

    Args:
        source: what is decoded.
        cache: where the samples are kept; data sets may share one.
        key: tells this data set from the others in the cache; data sets with the same samples may have the same key.

    """

    def __init__(self, source: StereoDataset, cache: SampleCache, key: Hashable = None) -> None:
        self.name = source.name
        self.source = source
        self._cache = cache
        self._key = key

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Sample:
        key = (self._key, index)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        sample = self.source[index]
        self._cache.put(key, sample)
        return sample

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def ids(self) -> list[str]:
        """The ids of all samples, in order, without decoding anything."""
        return self.source.ids()

    def has_ground_truth(self) -> bool:
        """That of the source."""
        return has_ground_truth(self.source)

    def fingerprint(self) -> str:
        """That of the source."""
        return self.source.fingerprint()


@dataclass(frozen=True)
class _Stored:
    """A sample whose views may be uint8: those that came from 8-bit images."""

    sample: Sample

    @property
    def size_bytes(self) -> int:
        sample = self.sample
        return sum(tensor.nbytes for tensor in (sample.left, sample.right, sample.disparity, sample.valid))


def _packed(sample: Sample) -> _Stored:
    return _Stored(replace(sample, left=_to_bytes(sample.left), right=_to_bytes(sample.right)))


def _unpacked(stored: _Stored) -> Sample:
    sample = stored.sample
    return replace(sample, left=_to_floats(sample.left), right=_to_floats(sample.right))


def _to_bytes(view: Tensor) -> Tensor:
    """The view's 8-bit codes if every value has the very bits of one of them over 255, else the view itself."""
    codes = view.mul(255).round_().clamp_(0, 255).byte()
    same = torch.equal(_to_floats(codes).view(torch.int32), view.view(torch.int32))
    return codes if same else view


def _to_floats(view: Tensor) -> Tensor:
    return view.float().div_(255) if view.dtype == torch.uint8 else view
