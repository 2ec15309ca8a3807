"""Run context: what all stages of a run share, opened once, and the view of it that one stage works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from disparsity.base import distributed
from disparsity.base.devices import choose_device
from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.augmentation.settings import NO_AUGMENTATION
from disparsity.datasets.batches.device import DeviceStream
from disparsity.datasets.batches.prefetch import BatchSource, Prefetcher
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.recipe.plan import PlannedStage
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import DataSection
from disparsity.recipe.size import parse_size
from disparsity.run import batch_numbers
from disparsity.run.folder import stage_folder
from disparsity.run.resumable import ResumableTraining
from disparsity.stereo.network import StereoNetwork

Opener = Callable[[str], StereoDataset]


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What all stages of a run share.

    Attributes:
        folder: of the run.
        recipe: of the run.
        stop: set by a signal.
        device: where this process computes.
        dense: the network before compression, in eval mode; no stage changes it.
        stream: the training batches, or this process's part of them.
        calibration: batches for reconstruction and calibration.

    """

    folder: Path
    recipe: Recipe
    stop: StopRequest
    device: torch.device
    dense: StereoNetwork
    stream: BatchSource
    calibration: BatchSource

    def opened(self, checkpoint: str, name: str | None) -> StereoNetwork:
        """A network as the run computes with it."""
        return _open_network(self.recipe, self.device, checkpoint, name)

    def stage(self, planned: PlannedStage) -> StageContext:
        """The view of one stage; the clock of its training starts now."""
        folder = stage_folder(self.folder, planned.number, planned.kind.name)
        training = ResumableTraining(folder, self.stop, tensorboard=self.recipe.report.tensorboard)
        return StageContext(run=self, planned=planned, folder=folder, training=training)


@dataclass(frozen=True, kw_only=True)
class StageContext:
    """What one stage of a run sees.

    Attributes:
        run: what it shares with the other stages.
        planned: the stage, with its part of the recipe.
        folder: of the stage.
        training: runs its trainer, and counts its seconds.

    """

    run: RunContext
    planned: PlannedStage
    folder: Path
    training: ResumableTraining

    @property
    def recipe(self) -> Recipe:
        """What the stage reads."""
        return self.planned.recipe

    def next_batch(self, step: int) -> Batch:
        """The batch of a training step of this stage."""
        first = batch_numbers.STEPS_FROM[self.planned.kind.name] + self.planned.first_batch
        return self.run.stream.next_batch(first + step)

    def scoring_batch(self, index: int, count: int | None = None) -> Batch:
        """Batch number `index` of a scoring pass, or `count` samples of it."""
        return self.run.stream.next_batch(batch_numbers.SCORES_FROM + index, count)

    def recalibration_batch(self, index: int) -> Batch:
        """Batch number `index` of a recalibration."""
        return self.run.stream.next_batch(batch_numbers.RECALIBRATION_FROM + index)

    def calibration_batch(self, pairs: int) -> Batch:
        """The fixed batch of reconstruction and calibration."""
        return self.run.calibration.next_batch(batch_numbers.CALIBRATION, pairs)


def open_context(recipe: Recipe, folder: Path, stop: StopRequest, opened: Opener = open_data) -> RunContext:
    """Open what a recipe names: its network and its data; nothing is written.

    Args:
        recipe: of the run.
        folder: of the run; it need not exist yet.
        stop: set by a signal.
        opened: opens a data URI.

    Raises:
        DisparsityError: one of them is missing or damaged, or its description is wrong.

    """
    device = choose_device(recipe.device)
    part = (distributed.rank(), distributed.processes())
    return RunContext(
        folder=folder,
        recipe=recipe,
        stop=stop,
        device=device,
        dense=_open_network(recipe, device, recipe.network.checkpoint, recipe.network.name).eval(),
        stream=DeviceStream(open_stream(recipe.data, recipe.seed, part, opened), device),
        calibration=DeviceStream(open_stream(_calibration_data(recipe.data), recipe.seed, opened=opened), device),
    )


def open_stream(
    data: DataSection,
    seed: int,
    part: tuple[int, int] = (0, 1),
    opened: Opener = open_data,
) -> BatchSource:
    """The training batches of a recipe, from its data sets as `opened` gives them.

    Raises:
        InputError: there is no training data, or its description is wrong.

    """
    if not data.train:
        raise InputError("the recipe names no training data", where="data.train")
    weights = data.weights or (1.0,) * len(data.train)
    if len(weights) != len(data.train):
        raise InputError(
            "one weight per training URI", where="data.weights", found=len(weights), expected=len(data.train)
        )
    crop = parse_size(data.crop, "data.crop") if data.crop else None
    sets = [opened(uri) for uri in data.train]
    stream = TrainingStream(
        sets,
        weights,
        data.batch,
        crop,
        seed,
        augmentation=data.augmentation,
        fill=data.mixed_sizes == "pad",
        part=part,
        max_disparity=data.mask_disparity or None,
    )
    return Prefetcher(stream, data.workers) if data.workers else stream


def _calibration_data(data: DataSection) -> DataSection:
    """The data section whose training batches are the calibration batches: nothing is augmented, workers are idle."""
    return replace(
        data,
        train=data.calibration or data.train,
        weights=() if data.calibration else data.weights,
        crop=data.calibration_crop or data.crop,
        workers=0,
        augmentation=NO_AUGMENTATION,
    )


def _open_network(recipe: Recipe, device: torch.device, checkpoint: str, name: str | None) -> StereoNetwork:
    """A network on the device of the run, channels last."""
    return use_channels_last(open_network(checkpoint, name, recipe.seed, recipe.network.max_disparity).to(device))
