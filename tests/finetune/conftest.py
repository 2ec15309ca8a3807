"""A tiny stereo network and synthetic batches, small enough to train for a few steps in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


@pytest.fixture
def network() -> Callable[..., StereoNetwork]:
    """Builds a StereoNet of 5,000 weights from a seed."""

    def build(seed: int = 0, **changes: Any) -> StereoNetwork:
        torch.manual_seed(seed)
        sizes = {"halvings": 2, "width": 4, "refinement_width": 4, "max_disparity": 16, "disparity_scale": 8.0}
        return build_network("stereonet", **(sizes | changes))

    return build


@pytest.fixture(scope="session")
def batches() -> Callable[[int], Batch]:
    """The batch of a step: two synthetic pairs 32x64."""
    scenes = SyntheticDataset(SyntheticSettings(pairs=4, height=32, width=64, seed=1, max_disparity=16.0))
    return TrainingStream([scenes], [1.0], 2, None, 0).next_batch
