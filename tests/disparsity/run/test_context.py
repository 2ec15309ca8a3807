"""Run context: the batches that the recipe's data section describes, and which of them every stage draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.datasets.augmentation.settings import MildAugmentationSettings
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.uri import open_data
from disparsity.recipe.plan import PlannedStage
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import DataSection
from disparsity.recipe.stages import FINETUNE, FINETUNE_QUANTIZED, PRUNE
from disparsity.recipe.stages import TRAIN as TRAIN_KIND
from disparsity.run.context import open_context, open_stream

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


def test_calibration_pairs_are_the_training_pairs_unless_named(tmp_path: Path) -> None:
    data = DataSection(train=TRAIN, batch=2)
    context = open_context(Recipe(data=data), tmp_path, StopRequest())
    ids = set(context.calibration.next_batch(0, 20).ids)
    assert ids <= set(context.stream.next_batch(0, 200).ids)
    named = replace(
        data, train=TRAIN[:1], calibration=TRAIN[1:], calibration_crop="16x32", augmentation=MildAugmentationSettings()
    )
    batch = open_context(Recipe(data=named), tmp_path, StopRequest()).calibration.next_batch(0, 20)
    assert len(set(batch.ids)) == 3
    assert batch.left.shape[-2:] == (16, 32)


def test_stages_and_rounds_draw_batches_of_their_own(tmp_path: Path) -> None:
    numbers: list[int] = []

    class Stream:
        def next_batch(self, step: int, count: int | None = None) -> None:
            numbers.append(step)

    recipe = Recipe(data=DataSection(train=TRAIN))
    run = replace(open_context(recipe, tmp_path, StopRequest()), stream=Stream(), calibration=Stream())
    for kind in (TRAIN_KIND, PRUNE, FINETUNE, FINETUNE_QUANTIZED):
        run.stage(PlannedStage(kind=kind, recipe=recipe, first_batch=7)).next_batch(2)
    stage = run.stage(PlannedStage(kind=PRUNE, recipe=recipe))
    stage.scoring_batch(3)
    stage.recalibration_batch(4)
    stage.calibration_batch(1)
    assert numbers == [9, 9, 3_000_009, 5_000_009, 104_732, 15_485_867, 7_919]
