"""What every stage of a run shares: its recipe and folder, its batches, its device, the network before compression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from disparsity.base import distributed
from disparsity.base.devices import choose_device
from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.device import Delivered
from disparsity.datasets.batches.prefetch import BatchSource, Prefetcher
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.recipe.plan import PlannedStage
from disparsity.recipe.recipe import DataSection, Recipe, parse_size
from disparsity.run.resumable import Phase
from disparsity.stereo.network import StereoNetwork


@dataclass(frozen=True, kw_only=True)
class Context:
    """What every stage of a run needs."""

    run: Path
    recipe: Recipe
    stop: StopRequest
    first_batch: int = 0
    """Where a stage's batches begin: behind those of its earlier rounds."""

    def of(self, stage: PlannedStage) -> Context:
        """The same run as one stage sees it; what is open stays open."""
        if stage.recipe == self.recipe and stage.first_batch == self.first_batch:
            return self
        other = replace(self, recipe=stage.recipe, first_batch=stage.first_batch)
        vars(other).update(stream=self.stream, calibration=self.calibration, dense=self.dense)
        return other

    def phase(self, folder: Path) -> Phase:
        """A training phase in a stage's folder."""
        return Phase(folder, self.stop, tensorboard=self.recipe.report.tensorboard)

    @cached_property
    def stream(self) -> BatchSource:
        """The training batches, or this process's part of them."""
        part = (distributed.rank(), distributed.processes())
        return Delivered(open_stream(self.recipe.data, self.recipe.seed, part), self.device)

    @cached_property
    def calibration(self) -> BatchSource:
        """Batches for reconstruction and calibration."""
        data = self.recipe.data
        uris = data.calibration or data.train
        weights = () if data.calibration else data.weights
        crop = data.calibration_crop or data.crop
        changed = replace(data, train=uris, weights=weights, crop=crop, workers=0, augment=False, augmentation=None)
        return Delivered(open_stream(changed, self.recipe.seed), self.device)

    @cached_property
    def dense(self) -> StereoNetwork:
        """The network before compression, in eval mode."""
        section = self.recipe.network
        return self.opened(section.checkpoint, section.name).eval()

    @cached_property
    def device(self) -> torch.device:
        """Where this process computes."""
        return choose_device(self.recipe.device)

    def opened(self, checkpoint: str, name: str | None) -> StereoNetwork:
        """A network as the run computes with it: on its device, channels last."""
        return use_channels_last(open_network(checkpoint, name, self.recipe.seed).to(self.device))


def open_stream(
    data: DataSection,
    seed: int,
    part: tuple[int, int] = (0, 1),
    opened: Callable[[str], StereoDataset] = open_data,
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
        augment=data.augmentation or data.augment,
        fill=data.mixed_sizes == "pad",
        part=part,
    )
    return Prefetcher(stream, data.workers) if data.workers else stream
