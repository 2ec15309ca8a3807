"""Training with frozen masks, the common part of both fine-tuning stages, and its hooks and parameter groups."""

from __future__ import annotations

from typing import Any

from disparsity.finetune.objective import Objective
from disparsity.finetune.optimizers.scale_clip import ScaleClip
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.training import StepHook, Trainer
from disparsity.quant.attach import step_parameters
from disparsity.quant.finalise import finalise
from disparsity.run.context import StageContext
from disparsity.run.stages.recalibration import recalibrate_after
from disparsity.run.stages.teacher import teacher_for
from disparsity.stereo.network import StereoNetwork

_STEP_RATE_SCALE = 0.1
"""Quantization steps learn at a tenth of the rate of weights, since one step moves all weights of its layer at once."""


def train_with_frozen_masks(context: StageContext, network: StereoNetwork, settings: TrainSettings) -> StereoNetwork:
    """Train a network in place; pruned weights stay pruned, and the steps of quantizers are learned too."""
    objective = Objective(settings=settings, teacher=teacher_for(context, network, settings))
    trainer = Trainer(network, context.next_batch, objective, training_hooks(settings), parameter_groups(network))
    context.training.run(trainer, context.planned.kind.name.replace("_", " "))
    recalibrate_after(context, network, settings)
    finalise(network)
    return network


def training_hooks(settings: TrainSettings) -> list[StepHook]:
    """Hooks that the settings select in a network that may be sparse."""
    sparse: list[StepHook] = [SparseComputation()] if settings.kernels == "auto" else []
    return [*clipping_hooks(settings), *sparse]


def clipping_hooks(settings: TrainSettings) -> list[StepHook]:
    """The hook that clips weights to a multiple of their scale, if the settings select it."""
    return [ScaleClip(settings.scale_clip)] if settings.scale_clip else []


def parameter_groups(network: StereoNetwork) -> list[dict[str, Any]] | None:
    """Groups of a quantized network, whose steps learn at a rate of their own; None for a float one."""
    steps = step_parameters(network)
    chosen = {id(parameter) for parameter in steps}
    others = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
    return [{"params": others}, {"params": steps, "rate_scale": _STEP_RATE_SCALE}] if steps else None
