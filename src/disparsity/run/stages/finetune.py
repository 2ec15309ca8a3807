"""Stage `finetune`: training of a pruned network with its masks frozen."""

from __future__ import annotations

from disparsity.recipe.stages import FINETUNE
from disparsity.run.context import StageContext
from disparsity.run.stages.stage import Stage
from disparsity.run.stages.training import train_with_frozen_masks
from disparsity.stereo.network import StereoNetwork


def _run(context: StageContext, network: StereoNetwork) -> StereoNetwork:
    assert context.recipe.finetune is not None
    return train_with_frozen_masks(context, network, context.recipe.finetune)


FINETUNE_STAGE = Stage(kind=FINETUNE, run=_run)
