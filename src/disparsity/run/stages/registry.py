"""List of all stages, and how a run takes one of them: done once, then read from its folder."""

from __future__ import annotations

import copy

from disparsity.base import distributed
from disparsity.checkpoint.checkpoints import SIDE_FILE, save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint
from disparsity.recipe.plan import PlannedStage
from disparsity.run.context import RunContext, StageContext
from disparsity.run.stages.finetune import FINETUNE_STAGE
from disparsity.run.stages.finetune_quantized import FINETUNE_QUANTIZED_STAGE
from disparsity.run.stages.prune import PRUNE_STAGE
from disparsity.run.stages.quantize import QUANTIZE_STAGE
from disparsity.run.stages.train import TRAIN_STAGE
from disparsity.stereo.network import StereoNetwork

STAGES = {
    stage.kind.name: stage
    for stage in (TRAIN_STAGE, PRUNE_STAGE, FINETUNE_STAGE, QUANTIZE_STAGE, FINETUNE_QUANTIZED_STAGE)
}
"""Every stage by its name."""


def run_stage(run: RunContext, planned: PlannedStage, network: StereoNetwork) -> StereoNetwork:
    """One stage, or its stored result; `network` itself is left as it is."""
    context = run.stage(planned)
    if distributed.from_rank0((context.folder / SIDE_FILE).is_file()):
        return run.opened(str(context.folder), None)
    context.folder.mkdir(parents=True, exist_ok=True)
    result = STAGES[planned.kind.name].run(context, copy.deepcopy(network))
    if distributed.is_first():
        _save(context, result)
    return result.eval()


def _save(context: StageContext, network: StereoNetwork) -> None:
    metadata = {"seconds": round(context.training.seconds, 1), "seed": context.recipe.seed}
    save_checkpoint(context.folder / SIDE_FILE, network_checkpoint(network, metadata))
    context.training.clear()
