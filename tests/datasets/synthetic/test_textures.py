"""Textures: range, wrapping, variety of contrast, determinism."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.datasets.synthetic.textures import random_texture


@pytest.mark.parametrize("side", [128, 256])
def test_range_shape_and_same_seed_same_bits(side: int) -> None:
    first, second = (random_texture(np.random.default_rng(3), side) for _ in range(2))
    assert first.shape == (side, side, 3)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert np.array_equal(first, second)


def test_borders_wrap_without_a_seam() -> None:
    for seed in range(20):
        texture = random_texture(np.random.default_rng(seed), 128)
        inner = np.abs(np.diff(texture, axis=1)).max(axis=(0, 2))
        seam = np.abs(texture[:, 0] - texture[:, -1]).max()
        assert seam <= 1.5 * inner.max() + 0.02


def test_contrast_ranges_from_weak_to_strong() -> None:
    spread = [float(random_texture(np.random.default_rng(seed), 128).std(axis=(0, 1)).max()) for seed in range(40)]
    assert min(spread) < 0.05
    assert max(spread) > 0.2
