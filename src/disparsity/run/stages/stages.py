"""The stages of a run, each from a network to a network, each skipped when its checkpoint is already there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from disparsity.base import distributed
from disparsity.base.atomic_io import write_json
from disparsity.checkpoint.checkpoints import SIDE_FILE, save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.modes import build_mode
from disparsity.finetune.objective import Objective
from disparsity.finetune.optimizers.scale_clip import ScaleClip
from disparsity.finetune.recalibrate import recalibrate
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.sparse.switch import switch_off
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.teachers import InNetworkTeacher
from disparsity.finetune.training import StepHook, Trainer
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.quant.activations.calibration import CalibrationSettings, calibrate
from disparsity.quant.allocations.measurement import Attach
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.attach import attach_quantizers, rounded_weight, step_parameters
from disparsity.quant.bits import LayerBits
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm, folded_pairs
from disparsity.quant.layer_bits import QuantSettings, uniform_bits
from disparsity.quant.transforms.fitting import fit_transforms
from disparsity.recipe.recipe import PruneSection, QuantizeSection
from disparsity.run.context import Context
from disparsity.run.folder import stage_folder
from disparsity.run.resumable import Phase
from disparsity.run.stages.bit_allocation import Allocator, remove_channels
from disparsity.run.stages.channel_pruning import SilenceRemoved, finish_channels, start_channels
from disparsity.stereo.network import StereoNetwork

_CALIBRATION_SALT, _SCORE_SALT = 7_919, 104_729
_SCORE_BATCHES = 8
_STEP_RATE_SCALE = 0.1
_RECALIBRATION_SALT, _RECALIBRATION_BATCHES = 15_485_863, 24


def dense_training(context: Context, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """Train a network from its present weights with the recipe's `train` section."""
    assert context.recipe.train is not None
    phase = context.phase(folder)
    objective = Objective(settings=context.recipe.train, teacher=_teacher(context, network, context.recipe.train))
    hooks = _clipping(context.recipe.train)
    phase.run(Trainer(network, context.stream.next_batch, objective, hooks), "train")
    _recalibrate(context, network, context.recipe.train)
    return _finished(context, network, folder, phase)


def pruning(context: Context, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """Stage one: remove weights at events while the network trains, in float or behind its quantizers."""
    section = context.recipe.prune
    assert section is not None
    layers = compressed_layers(network, prunable_layers(network, network.spec.protected))
    pattern = start_channels(network, layers, section.floor_share) if section.pattern == "channel" else None
    scored = layers | pattern.norms if pattern and SCORES[section.score].with_norms else layers
    if pattern is None:
        attach_masks(network, [name for name in layers if name not in masks_of(network)])
    phase = context.phase(folder)
    objective = Objective(settings=section.train, teacher=_teacher(context, network, section.train))
    batch = _calibration(context, section.reconstruct.pairs)
    solver = Reconstructor(network, context.dense, batch, section.reconstruct, context.recipe.seed)
    hook = Sparsify(
        scored,
        section,
        section.train.steps,
        build_mode(section, solver),
        dict.fromkeys(scored, 1.0) | _macs(context, network, layers),
        _score_pass(context, section, network, scored, objective, solver),
        pattern.select if pattern else None,
    )
    hooks = [hook, *([SilenceRemoved()] if pattern else []), *_computation(section.train)]
    trainer = Trainer(network, _batches_of(context, "prune"), objective, hooks, _parameter_groups(network))
    phase.run(trainer, "prune")
    if pattern is not None:
        finish_channels(network, pattern, batch.left, batch.right)
    _recalibrate(context, network, section.train)
    finalise(network)
    return _finished(context, network, folder, phase)


def finetuning(context: Context, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """Train on with the masks frozen."""
    assert context.recipe.finetune is not None
    return _tune(context, network, folder, context.recipe.finetune, "finetune")


def quantization(context: Context, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """Stage two: fold BatchNorm, attach quantizers to the non-zero weights, calibrate the activations."""
    settings = context.recipe.quantize
    assert settings is not None
    phase = context.phase(folder)
    batch = _calibration(context, settings.reconstruct.pairs)
    views = (batch.left, batch.right)
    fold_batchnorm(network, views)
    before = copy.deepcopy(network)
    attach = _attaching(settings)
    attach(network, _allocated_bits(context, network, attach, folder))
    fit_transforms(network, views, settings, torch.Generator().manual_seed(context.recipe.seed))
    calibrate(network, [views], CalibrationSettings(rule=settings.calibration, percentile=settings.percentile))
    if settings.rounding == "reconstruct":
        Reconstructor(network, before, batch, settings.reconstruct, context.recipe.seed).solve()
    finalise(network)
    return _finished(context, network, folder, phase)


def quantized_finetuning(context: Context, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """Quantization-aware training with the masks frozen; steps are learned too, then fixed as float16."""
    assert context.recipe.finetune_quantized is not None
    return _tune(context, network, folder, context.recipe.finetune_quantized, "finetune_quantized")


def bits_of(network: StereoNetwork, settings: QuantSettings) -> dict[str, Any]:
    """The bits of every layer: the settings', with the spec's first and protected layers and wide inputs."""
    spec = network.spec
    bits = uniform_bits(network, settings, first=spec.first, protected=spec.protected, wide_inputs=spec.wide_inputs)
    return compressed_layers(network, bits)


def compressed_layers(network: StereoNetwork, by_layer: dict[str, Any]) -> dict[str, Any]:
    """What is given by layer name, without the layers that the network's spec excludes from compression."""
    return {name: value for name, value in by_layer.items() if network.spec.compresses(name)}


def _attaching(settings: QuantizeSection) -> Attach:
    def attach(network: torch.nn.Module, bits: Mapping[str, LayerBits]) -> None:
        attach_quantizers(
            network, bits, quantizer=settings.quantizer, initialisation=settings.initialisation, settings=settings
        )

    return attach


def _allocated_bits(context: Context, network: StereoNetwork, attach: Attach, folder: Path) -> Mapping[str, LayerBits]:
    """The bits that the recipe's allocation chooses; channels of 0 bits are masked, the choice is written down."""
    settings = context.recipe.quantize
    assert settings is not None
    bits = bits_of(network, settings)
    if ALLOCATIONS[settings.allocation].choose is None:
        return bits
    objective = Objective(settings=TrainSettings(steps=0))

    def scores(layers: Mapping[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
        batches = context.stream
        return taylor_pass(
            network, layers, lambda index: objective(network, batches.next_batch(_SCORE_SALT + index)), _SCORE_BATCHES
        )

    batch, profile = _calibration(context, settings.allocation_pairs), load_profile(context.recipe.report.profile)
    allocator = Allocator(network, settings, bits, batch, attach, scores, profile, context.recipe.seed)
    allocated = allocator.allocate()
    remove_channels(network, allocated.removed)
    write_json(folder / "allocation.json", allocated.facts)
    return allocated.bits


STAGES: dict[str, Callable[[Context, StereoNetwork, Path], StereoNetwork]] = {
    "train": dense_training,
    "prune": pruning,
    "finetune": finetuning,
    "quantize": quantization,
    "finetune_quantized": quantized_finetuning,
}
"""Every stage by the name of its recipe section, in the order of a run."""


def run_stage(context: Context, network: StereoNetwork, number: int, name: str) -> StereoNetwork:
    """One stage, or its stored result; `network` itself is left as it is."""
    folder = stage_folder(context.run, number, name)
    if distributed.first_says((folder / SIDE_FILE).is_file()):
        return context.opened(str(folder), None)
    folder.mkdir(parents=True, exist_ok=True)
    return STAGES[name](context, copy.deepcopy(network), folder).eval()


def _tune(context: Context, network: StereoNetwork, folder: Path, settings: TrainSettings, stage: str) -> StereoNetwork:
    phase = context.phase(folder)
    objective = Objective(settings=settings, teacher=_teacher(context, network, settings))
    batches = _batches_of(context, stage)
    trainer = Trainer(network, batches, objective, _computation(settings), _parameter_groups(network))
    phase.run(trainer, stage.replace("_", " "))
    _recalibrate(context, network, settings)
    finalise(network)
    return _finished(context, network, folder, phase)


def _parameter_groups(network: StereoNetwork) -> list[dict[str, Any]] | None:
    """All parameters alike; of a quantized network the steps learn at a rate of their own."""
    steps = step_parameters(network)
    chosen = {id(parameter) for parameter in steps}
    others = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
    return [{"params": others}, {"params": steps, "rate_scale": _STEP_RATE_SCALE}] if steps else None


def _computation(settings: TrainSettings) -> list[StepHook]:
    sparse: list[StepHook] = [SparseComputation()] if settings.kernels == "auto" else []
    return [*_clipping(settings), *sparse]


def _clipping(settings: TrainSettings) -> list[StepHook]:
    return [ScaleClip(settings.scale_clip, settings.scale_clip_group)] if settings.scale_clip else []


def _recalibrate(context: Context, network: StereoNetwork, settings: TrainSettings) -> None:
    """Measure BatchNorm anew after a phase that has trained under it."""

    def forward(module: torch.nn.Module, index: int) -> object:
        batch = context.stream.next_batch(_RECALIBRATION_SALT + index)
        return module(batch.left, batch.right)

    if settings.batch_norm == "train" and settings.steps:
        recalibrate(network, forward, _RECALIBRATION_BATCHES)


def _finished(context: Context, network: StereoNetwork, folder: Path, phase: Phase) -> StereoNetwork:
    facts = {"seconds": round(phase.seconds, 1), "seed": context.recipe.seed}
    if distributed.is_first():
        save_checkpoint(folder / SIDE_FILE, network_checkpoint(network, facts))
        phase.clear()
    return network


def _teacher(
    context: Context, network: StereoNetwork, settings: TrainSettings
) -> StereoNetwork | InNetworkTeacher | None:
    if not settings.needs_teacher:
        return None
    if settings.teacher == "in_network":
        statistics, folded = settings.batch_norm == "train", folded_pairs(network)
        return InNetworkTeacher(context.dense, batch_statistics=statistics, folded=folded)
    return context.dense


def _batches_of(context: Context, stage: str) -> Callable[[int], Batch]:
    """Batches of a stage: other ones than those of the stages and rounds before."""
    place = 0 if stage == "prune" else 1 + list(STAGES).index(stage)
    first, stream = place * 1_000_000 + context.first_batch, context.stream
    return lambda step: stream.next_batch(first + step)


def _score_pass(
    context: Context,
    section: PruneSection,
    network: StereoNetwork,
    layers: dict[str, torch.nn.Module],
    objective: Objective,
    solver: Reconstructor,
) -> ScorePass | None:
    build = SCORES[section.score].build
    if build is None:
        return None
    stream = context.stream
    return build(
        ScoringContext(
            network=network,
            layers=layers,
            batch_loss=lambda index: objective(network, stream.next_batch(_SCORE_SALT + index)),
            sample_loss=lambda index: objective(network, stream.next_batch(_SCORE_SALT + index, 1)),
            rounded=rounded_weight,
            ones_response=lambda copied: _ones_response(copied, _calibration(context, 1)),
            saliencies=solver.scores,
            batches=section.score_batches,
            taylor_form=section.taylor_form,
            seed=context.recipe.seed,
        )
    )


def _ones_response(network: torch.nn.Module, like: Batch) -> torch.Tensor:
    """The sum of all disparities that a network estimates from normalised views of ones, float64."""
    assert isinstance(network, StereoNetwork)
    switch_off(network)
    divisor = network.spec.divisor
    height, width = (-(-size // divisor) * divisor for size in like.left.shape[-2:])
    ones = torch.ones(1, 3, height, width, dtype=torch.float64, device=like.left.device)
    return torch.stack([disparity.sum() for disparity in network.estimate(ones, ones)]).sum()


def _macs(context: Context, network: StereoNetwork, layers: dict[str, torch.nn.Module]) -> dict[str, float]:
    """MACs that one weight of each layer costs, relative to the layer where a weight costs most."""
    batch = _calibration(context, 1)
    uses = dict.fromkeys(layers, 0)
    for call in trace_workload(network, (batch.left, batch.right)).calls:
        if call.name in uses:
            uses[call.name] += call.weight_uses
    most = max(uses.values())
    return {name: count / most for name, count in uses.items()}


def _calibration(context: Context, pairs: int) -> Batch:
    """A fixed batch of pairs for reconstruction and calibration."""
    return context.calibration.next_batch(_CALIBRATION_SALT, pairs)
