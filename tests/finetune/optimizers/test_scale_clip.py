"""Clipping after the step, by hand and inside training."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers, trained_weight
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective
from disparsity.finetune.optimizers.scale_clip import ScaleClip
from disparsity.finetune.optimizers.settings import ScaleClipSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import Trainer
from disparsity.stereo.network import StereoNetwork


def test_by_hand() -> None:
    layer = nn.Linear(3, 3, bias=False)
    layer.weight.data = torch.tensor([[1.0, 0.0, -3.0], [1.0, 1.0, 4.0], [9.0, 0.0, 0.0]])
    with torch.no_grad():
        clipped = ScaleClip(ScaleClipSettings(scale=1.2, group=2))._clip(
            layer, layer.weight
        )  # means 2 (of five that are not zero) and 9
    assert layer.weight.tolist() == [pytest.approx(row) for row in ([1.0, 0.0, -2.4], [1.0, 1.0, 2.4], [9.0, 0.0, 0.0])]
    assert clipped.tolist() == [[False, False, True], [False, False, True], [False, False, False]]


def test_training_spreads_the_weights_and_forgets_what_pushes_them_out(
    network: Callable[..., StereoNetwork], batches: Callable[[int], Batch]
) -> None:
    net = network()
    trainer = Trainer(
        net, batches, Objective(settings=TrainSettings(steps=3)), [ScaleClip(ScaleClipSettings(scale=1.5, group=16))]
    )
    trainer.run("test")
    for name, layer in quantizable_layers(net).items():
        if net.spec.compresses(name):
            weight = trained_weight(layer)
            ends = weight.abs().flatten(1).amax(dim=1)
            at_end = weight.abs() >= ends.min()
            outward = trainer.optimizer.state[weight]["exp_avg"] * weight < 0
            assert not bool((outward & at_end & (weight.abs() == weight.abs().max())).any()), name


def test_impossible_settings() -> None:
    for wrong in ({"scale": -1.0}, {"group": 0}):
        with pytest.raises(InputError, match="out of range"):
            ScaleClipSettings(**wrong)
