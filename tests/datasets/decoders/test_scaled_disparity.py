"""Scaled 8-bit maps."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.datasets.decoders.scaled_disparity import read_scaled


@pytest.mark.parametrize("scale", [1, 4, 16])
def test_value_over_scale(tmp_path, save, scale):
    path = save(tmp_path / "d.png", np.array([[0, 1, 16], [40, 100, 255]], np.uint8))
    array = read_scaled(path, scale)
    assert array.dtype == np.float32
    assert array.tolist() == [[0, 1 / scale, 16 / scale], [40 / scale, 100 / scale, 255 / scale]]
