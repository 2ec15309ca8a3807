"""Stage `train`: dense training of a network."""

from __future__ import annotations

from disparsity.finetune.objective import Objective
from disparsity.finetune.training import Trainer
from disparsity.recipe.stages import TRAIN
from disparsity.run.context import StageContext
from disparsity.run.stages.recalibration import recalibrate_after
from disparsity.run.stages.stage import Stage
from disparsity.run.stages.teacher import teacher_for
from disparsity.run.stages.training import clipping_hooks
from disparsity.stereo.network import StereoNetwork


def _run(context: StageContext, network: StereoNetwork) -> StereoNetwork:
    """Train a network from its present weights."""
    settings = context.recipe.train
    assert settings is not None
    objective = Objective(settings=settings, teacher=teacher_for(context, network, settings))
    context.training.run(Trainer(network, context.next_batch, objective, clipping_hooks(settings)), TRAIN.name)
    recalibrate_after(context, network, settings)
    return network


TRAIN_STAGE = Stage(kind=TRAIN, run=_run)
