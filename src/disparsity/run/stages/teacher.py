"""Teacher of a stage's training: none, the dense network, or the dense weights inside the network that is trained."""

from __future__ import annotations

from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.teachers import InNetworkTeacher
from disparsity.quant.folding.batch_norm import folded_pairs
from disparsity.run.context import StageContext
from disparsity.stereo.network import StereoNetwork


def teacher_for(
    context: StageContext, network: StereoNetwork, settings: TrainSettings
) -> StereoNetwork | InNetworkTeacher | None:
    """The teacher that the settings select; None where no loss needs one."""
    if not settings.needs_teacher:
        return None
    if settings.teacher.name == "in_network":
        statistics, folded = settings.batch_norm == "train", folded_pairs(network)
        return InNetworkTeacher(context.run.dense, batch_statistics=statistics, folded=folded)
    return context.run.dense
