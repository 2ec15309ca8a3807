"""Training with frozen masks: its hooks, and the learning rate of quantization steps."""

from __future__ import annotations

from pathlib import Path

from disparsity.checkpoint.restore import open_network
from disparsity.finetune.optimizers.settings import ScaleClipSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.run.stages.training import parameter_groups, training_hooks
from disparsity.stereo.networks import build_network

TINY = {"halvings": 2, "width": 4, "refinement_width": 2, "max_disparity": 16}


def test_a_float_network_has_one_rate_and_a_quantized_one_slower_steps(quantized: Path) -> None:
    assert parameter_groups(build_network("reference", **TINY)) is None
    network = open_network(str(quantized), None)
    groups = parameter_groups(network)
    assert groups is not None
    weights, steps = groups
    assert steps["rate_scale"] == 0.1
    assert "rate_scale" not in weights
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())
    assert all(parameter.dim() <= 1 or parameter.numel() == parameter.shape[0] for parameter in steps["params"])


def test_hooks_are_those_that_the_settings_ask_for() -> None:
    def names(settings: TrainSettings) -> list[str]:
        return [type(hook).__name__ for hook in training_hooks(settings)]

    assert names(TrainSettings(steps=1, kernels="dense")) == []
    assert names(TrainSettings(steps=1, kernels="auto", scale_clip=ScaleClipSettings())) == [
        "ScaleClip",
        "SparseComputation",
    ]
