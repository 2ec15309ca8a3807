"""BatchNorm recalibration after a stage that trained under batch statistics."""

from __future__ import annotations

from torch import nn

from disparsity.finetune.recalibrate import recalibrate
from disparsity.finetune.settings import TrainSettings
from disparsity.run.context import StageContext
from disparsity.stereo.network import StereoNetwork

_BATCHES = 24
"""Batches that the statistics are averaged over; more changes them little."""


def recalibrate_after(context: StageContext, network: StereoNetwork, settings: TrainSettings) -> None:
    """Measure the statistics of BatchNorm again if the training has moved them."""

    def forward(module: nn.Module, index: int) -> object:
        batch = context.recalibration_batch(index)
        return module(batch.left, batch.right)

    if settings.batch_norm == "train" and settings.steps:
        recalibrate(network, forward, _BATCHES)
