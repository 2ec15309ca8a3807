"""Synthetic batches, small enough to train for a few steps in a test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings


@pytest.fixture(scope="session")
def batches() -> Callable[[int], Batch]:
    """The batch of a step: two synthetic pairs 32x64."""
    scenes = SyntheticDataset(SyntheticSettings(pairs=4, height=32, width=64, seed=1, max_disparity=16.0))
    return TrainingStream([scenes], [1.0], 2, None, 0).next_batch
