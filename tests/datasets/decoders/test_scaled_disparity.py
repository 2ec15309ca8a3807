"""Scaled 8-bit maps."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.scaled_disparity import read_scaled

WIDTHS = {range(2, 5): 4, range(7, 8): 2}


@pytest.mark.parametrize(
    ("width", "given", "scale"), [(2, None, 4), (4, None, 4), (7, None, 2), (3, 1.5, 1.5), (9, 8, 8)]
)
def test_value_over_the_scale_of_the_width_or_the_given_one(tmp_path, save, width, given, scale):
    values = np.random.default_rng(0).integers(0, 256, (2, width), np.uint8)
    array = read_scaled(save(tmp_path / "d.png", values), WIDTHS, given)
    assert array.dtype == np.float32
    assert array.tolist() == [[float(np.float32(value / scale)) for value in row] for row in values.tolist()]


def test_another_width_is_refused(tmp_path, save):
    path = save(tmp_path / "d.png", np.ones((2, 5), np.uint8))
    with pytest.raises(DataError, match=r"found width 5; expected a published width \(2-4, 7\); add \?scale="):
        read_scaled(path, WIDTHS)
