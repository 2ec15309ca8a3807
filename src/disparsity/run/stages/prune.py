"""Stage `prune`: weights are removed at events while the network trains, in float or behind its quantizers."""

from __future__ import annotations

from torch import nn

from disparsity.finetune.modes.registry import MODES
from disparsity.finetune.modes.settings import ReconstructSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.channels.pattern import ChannelPattern
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.settings import ObsSettings
from disparsity.quant.finalise import finalise
from disparsity.recipe.sections import PruneSection
from disparsity.recipe.stages import PRUNE
from disparsity.run.context import StageContext
from disparsity.run.stages.channel_pruning import SilenceRemoved, finish_channels, start_channels
from disparsity.run.stages.layer_bits import compressed_layers
from disparsity.run.stages.recalibration import recalibrate_after
from disparsity.run.stages.score_pass import score_pass
from disparsity.run.stages.stage import Stage
from disparsity.run.stages.teacher import teacher_for
from disparsity.run.stages.training import parameter_groups, training_hooks
from disparsity.run.stages.weight_macs import macs_per_weight
from disparsity.stereo.network import StereoNetwork

_CHECKED_PAIRS = 8
"""Pairs on which a network must compute the same after its channels are taken out."""


def _run(context: StageContext, network: StereoNetwork) -> StereoNetwork:
    section = context.recipe.prune
    assert section is not None
    layers = compressed_layers(network, prunable_layers(network, network.spec.protected))
    size = context.calibration_batch(1).left.shape
    whole = section.pattern.name == "channel"
    pattern = start_channels(network, layers, section.floor_fraction, (size[-2], size[-1])) if whole else None
    if pattern is None:
        attach_masks(network, [name for name in layers if name not in masks_of(network)])
    objective = Objective(settings=section.train, teacher=teacher_for(context, network, section.train))
    hooks: list[StepHook] = [_sparsify(context, section, network, layers, objective, pattern)]
    hooks += [SilenceRemoved()] if pattern else []
    hooks += training_hooks(section.train)
    trainer = Trainer(network, context.next_batch, objective, hooks, parameter_groups(network))
    context.training.run(trainer, PRUNE.name)
    if pattern is not None:
        batch = context.calibration_batch(_CHECKED_PAIRS)
        finish_channels(network, pattern, batch.left, batch.right)
    recalibrate_after(context, network, section.train)
    finalise(network)
    return network


def _sparsify(
    context: StageContext,
    section: PruneSection,
    network: StereoNetwork,
    layers: dict[str, nn.Module],
    objective: Objective,
    pattern: ChannelPattern | None,
) -> Sparsify:
    """The hook that holds the pruning events."""
    scored = layers | pattern.norms if pattern and section.score.with_norms else layers
    solver, scorer = _reconstructors(context, section, network)
    return Sparsify(
        scored,
        section,
        section.train.steps,
        MODES[section.mode.name](section.mode, solver),
        dict.fromkeys(scored, 1.0) | macs_per_weight(network, layers, context.calibration_batch(1)),
        score_pass(context, section, network, scored, objective, scorer),
        pattern.select if pattern else None,
    )


def _reconstructors(
    context: StageContext, section: PruneSection, network: StereoNetwork
) -> tuple[Reconstructor | None, Reconstructor | None]:
    """What solves layers for mode `reconstruct` and what measures weights for score `obs`; one object if both agree."""

    def build(settings: ReconstructSettings | ObsSettings, probes: int) -> Reconstructor:
        return Reconstructor(
            network,
            context.run.dense,
            context.calibration_batch(settings.pairs),
            positions=settings.positions,
            ridge=settings.ridge,
            probes=probes,
            seed=context.recipe.seed,
        )

    mode, score = section.mode, section.score
    scorer = build(score, score.probes) if isinstance(score, ObsSettings) else None
    if not isinstance(mode, ReconstructSettings):
        return None, scorer
    shared = ("pairs", "positions", "ridge")
    if isinstance(score, ObsSettings) and all(getattr(mode, key) == getattr(score, key) for key in shared):
        return scorer, scorer
    return build(mode, 1), scorer


PRUNE_STAGE = Stage(kind=PRUNE, run=_run)
