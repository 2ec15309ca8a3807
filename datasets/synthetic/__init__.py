"""Synthetic scenes as a data set: every sample is a pure function of the seed and its index."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np
import torch

from disparsity.base.errors import InputError
from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic.scenes import STYLES

_GENERATOR_VERSION = 1
_KEPT = SampleCache(1 << 30)
"""Scenes rendered in this process, 1 GiB at most: training, calibration and every evaluation use the same ones."""


@dataclass(frozen=True, kw_only=True)
class SyntheticSettings:
    """How many scenes, of which size, from which seed.

    Attributes:
        pairs: number of scenes.
        height: in pixels, at least 16.
        width: in pixels, at least 16.
        seed: the same seed gives the same scenes, bit by bit.
        max_disparity: surfaces stay below this, in pixels.
        style: `plain`, a few slanted shapes; or `hard`, many curved, thin, pierced, repetitive and blank ones.

    """

    pairs: int = 320
    height: int = 96
    width: int = 192
    seed: int = 0
    max_disparity: float = 48.0
    style: str = "plain"

    def __post_init__(self) -> None:
        """Refuse settings that no scene can have."""
        possible = self.style in STYLES and self.pairs >= 1 and min(self.height, self.width) >= 16 and self.seed >= 0
        if not (possible and 8 <= self.max_disparity < math.inf):
            raise InputError(
                "impossible synthetic scenes",
                found=self,
                expected="pairs >= 1, size at least 16x16, seed >= 0, max_disparity >= 8, style plain or hard",
            )


class SyntheticDataset:
    """Scenes generated on access."""

    name = "synthetic"

    def __init__(self, settings: SyntheticSettings) -> None:
        self.settings = settings

    def __len__(self) -> int:
        return self.settings.pairs

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        settings = self.settings
        rng = np.random.default_rng([settings.seed, index])
        scene = STYLES[settings.style](rng, settings.height, settings.width, settings.max_disparity)
        disparity = torch.from_numpy(scene.disparity)
        return Sample(
            left=torch.from_numpy(scene.left).permute(2, 0, 1).contiguous(),
            right=torch.from_numpy(scene.right).permute(2, 0, 1).contiguous(),
            disparity=disparity,
            valid=disparity > 0,
            id=self._id(index),
        )

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def ids(self) -> list[str]:
        """The ids of all scenes, in order."""
        return [self._id(index) for index in range(len(self))]

    def _id(self, index: int) -> str:
        name = "synthetic" if self.settings.style == "plain" else f"synthetic-{self.settings.style}"
        return f"{name}/{self.settings.seed}/{index:06d}"

    def fingerprint(self) -> str:
        """A hash of the generator's version and settings."""
        *values, style = astuple(self.settings)
        # plain scenes are older than the option: what was trained on them must still be recognised
        named = tuple(values) if style == "plain" else (*values, style)
        return hashlib.sha256(repr((_GENERATOR_VERSION, named)).encode()).hexdigest()[:16]


def open_scenes(settings: SyntheticSettings) -> CachedDataset:
    """The scenes of `settings`, each rendered once per process as long as the recently used ones fit in 1 GiB."""
    return CachedDataset(SyntheticDataset(settings), _KEPT, replace(settings, pairs=1))
