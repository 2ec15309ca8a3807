"""Evaluating pairs in memory gives the figures of the same pairs in a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import disparsity
from disparsity.base.errors import DataError, InputError
from disparsity.datasets.uri import open_data

DATA = "synthetic:?pairs=2&size=32x64&seed=4&max_disparity=16"


def test_pairs_in_memory_score_as_the_data_set_does(checkpoint: Path) -> None:
    network = disparsity.load(checkpoint)
    truths = [np.where(sample.valid, sample.disparity, np.nan) for sample in open_data(DATA)]
    pairs = [(sample.left, sample.right, truth) for sample, truth in zip(open_data(DATA), truths, strict=True)]
    found, expected = disparsity.evaluate(network, pairs), disparsity.evaluate(checkpoint, DATA)
    assert found["data"] == "2 pairs in memory"
    assert found | {"data": DATA} == expected


def test_what_cannot_be_scored(checkpoint: Path) -> None:
    view = np.zeros((32, 64, 3), np.uint8)
    with pytest.raises(DataError, match=r"the ground truth is not of the views' size; found \(4, 4\)"):
        disparsity.evaluate(checkpoint, [(view, view, np.ones((4, 4)))])
    with pytest.raises(InputError, match="mask: out of range"):
        disparsity.evaluate(checkpoint, DATA, mask=-1.0)
