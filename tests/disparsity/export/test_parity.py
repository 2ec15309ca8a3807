"""The pair that an export is checked with, and how far off its map may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import metadata_of
from disparsity.export.parity import blurred_pair, check_parity
from disparsity.stereo.inference import predict


def test_the_right_view_is_the_left_one_four_pixels_further_left() -> None:
    left, right = blurred_pair((12, 20))
    assert left.shape == (3, 12, 20)
    assert torch.equal(left[..., 4:], right[..., :-4])
    assert torch.equal(left, blurred_pair((12, 20))[0])


@pytest.mark.parametrize(("stage", "accepted", "refused"), [("dense", 0.015, 0.017), ("quantized", 0.79, 0.81)])
def test_a_share_of_the_largest_disparity_is_accepted(
    checkpoint: Path, stage: str, accepted: float, refused: float
) -> None:
    network = open_network(str(checkpoint), None)
    metadata = replace(metadata_of(network, (32, 64)), stage=stage)
    expected = predict(network, *blurred_pair((32, 64)))
    check_parity(expected + np.float32(accepted), network, metadata, "some runtime")
    with pytest.raises(InputError, match="some runtime and torch disagree"):
        check_parity(expected + np.float32(refused), network, metadata, "some runtime")
    with pytest.raises(InputError, match="found nan px"):
        check_parity(expected * np.float32("nan"), network, metadata, "some runtime")
