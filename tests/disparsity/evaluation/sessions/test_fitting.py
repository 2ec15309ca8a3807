"""Padding to a file's size and back, against padding by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.evaluation.sessions.fitting import fit_map, fit_views
from disparsity.evaluation.sessions.metadata import FileMetadata

METADATA = FileMetadata(
    network="some", stage="dense", input_size=(4, 8), divisor=4, fill=(0.25, 0.5, 0.75), max_disparity=8
)


def test_rows_above_and_columns_on_the_right_are_filled() -> None:
    left, right = torch.rand(2, 3, 3, 6)
    views = fit_views(METADATA, left, right, Path("file"))
    by_hand = np.empty((1, 3, 4, 8), np.float32)
    by_hand[:] = np.array(METADATA.fill, np.float32)[:, None, None]
    by_hand[0, :, 1:, :6] = right.numpy()
    np.testing.assert_array_equal(views["right"], by_hand)
    np.testing.assert_array_equal(fit_map(views["left"][:, 1], left), left[1].numpy())


@pytest.mark.parametrize("size", [(5, 8), (4, 9), (4, 4)])
def test_another_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"file: .* expected 4x8 after padding; export again with --size {size[0]}x"):
        fit_views(METADATA, *torch.rand(2, 3, *size), Path("file"))
