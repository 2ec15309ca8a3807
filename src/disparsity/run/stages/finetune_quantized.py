"""Stage `finetune_quantized`: quantization-aware training with masks frozen; learned steps end as float16."""

from __future__ import annotations

from disparsity.recipe.stages import FINETUNE_QUANTIZED
from disparsity.run.context import StageContext
from disparsity.run.stages.stage import Stage
from disparsity.run.stages.training import train_with_frozen_masks
from disparsity.stereo.network import StereoNetwork


def _run(context: StageContext, network: StereoNetwork) -> StereoNetwork:
    assert context.recipe.finetune_quantized is not None
    return train_with_frozen_masks(context, network, context.recipe.finetune_quantized)


FINETUNE_QUANTIZED_STAGE = Stage(kind=FINETUNE_QUANTIZED, run=_run)
