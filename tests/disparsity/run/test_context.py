"""What the stages of a run share: the batches that the recipe's data section describes."""

from __future__ import annotations

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import DataSection
from disparsity.run.context import open_stream

TRAIN = ("synthetic:?pairs=2&size=32x64&seed=1", "synthetic:?pairs=3&size=32x64&seed=2")


def test_weights_of_data_sets() -> None:
    stream = open_stream(DataSection(train=TRAIN, weights=(0.0, 1.0), batch=40), 0)
    assert len(set(stream.next_batch(0).ids)) == 3
    with pytest.raises(InputError, match=r"data\.weights: one weight per training URI; found 1; expected 2"):
        open_stream(DataSection(train=TRAIN, weights=(1.0,)), 0)
    with pytest.raises(InputError, match=r"data\.train: the recipe names no training data"):
        open_stream(DataSection(), 0)


def test_data_sets_that_the_caller_opens() -> None:
    asked: list[str] = []

    def opened(uri: str) -> StereoDataset:
        asked.append(uri)
        return open_data(uri)

    section = DataSection(train=TRAIN, batch=2)
    assert torch.equal(
        open_stream(section, 0, opened=opened).next_batch(5).left, open_stream(section, 0).next_batch(5).left
    )
    assert asked == list(TRAIN)
