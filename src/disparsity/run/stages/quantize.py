"""Stage `quantize`: folding of BatchNorm, quantizers of the non-zero weights, calibration of the activations."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.atomic_io import write_json
from disparsity.finetune.objective import Objective
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.reconstruction.settings import ReconstructRoundingSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.activations.settings import CalibrationSettings
from disparsity.quant.allocations.measurement import Attach
from disparsity.quant.allocations.settings import BudgetSettings
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.quantizers.settings import TransformSettings
from disparsity.quant.transforms.fitting import fit_transforms
from disparsity.recipe.sections import QuantizeSection
from disparsity.recipe.stages import QUANTIZE
from disparsity.run.context import StageContext
from disparsity.run.stages.bit_allocation import Allocator, Scores, mask_channels
from disparsity.run.stages.layer_bits import bits_of
from disparsity.run.stages.stage import Stage
from disparsity.stereo.network import StereoNetwork

_SCORE_BATCHES = 8
"""Batches of the Taylor scores by which an allocation ranks channels."""


def _run(context: StageContext, network: StereoNetwork) -> StereoNetwork:
    settings = context.recipe.quantize
    assert settings is not None
    batch = context.calibration_batch(settings.calibration_pairs)
    views = (batch.left, batch.right)
    fold_batchnorm(network, views)
    before = copy.deepcopy(network)
    attach = _attaching(settings)
    attach(network, _allocated_bits(context, settings, network, attach))
    if isinstance(settings.quantizer, TransformSettings):
        fit_transforms(network, views, settings.quantizer, torch.Generator().manual_seed(context.recipe.seed))
    calibrate(network, [views], CalibrationSettings(rule=settings.calibration))
    rounding = settings.rounding
    if isinstance(rounding, ReconstructRoundingSettings):
        positions, ridge, seed = rounding.positions, rounding.ridge, context.recipe.seed
        Reconstructor(network, before, batch, positions=positions, ridge=ridge, seed=seed).solve()
    finalise(network)
    return network


def _attaching(settings: QuantizeSection) -> Attach:
    def attach(network: nn.Module, bits: Mapping[str, LayerBits]) -> None:
        attach_quantizers(network, bits, quantizer=settings.quantizer)

    return attach


def _allocated_bits(
    context: StageContext, settings: QuantizeSection, network: StereoNetwork, attach: Attach
) -> Mapping[str, LayerBits]:
    """The bits that the recipe's allocation chooses; channels of 0 bits are masked, the choice is written down."""
    bits = bits_of(network, settings)
    if not isinstance(settings.allocation, BudgetSettings):
        return bits
    batch, profile = context.calibration_batch(settings.allocation.pairs), load_profile(context.recipe.report.profile)
    scores = _taylor_scores(context, network)
    allocator = Allocator(network, settings, bits, batch, attach, scores, profile, context.recipe.seed)
    allocated = allocator.allocate()
    mask_channels(network, allocated.removed)
    write_json(context.folder / "allocation.json", allocated.metadata)
    return allocated.bits


def _taylor_scores(context: StageContext, network: StereoNetwork) -> Scores:
    """Scores of the weights of layers by the loss against ground truth."""
    objective = Objective(settings=TrainSettings(steps=0))

    def scores(layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        return taylor_pass(
            network, layers, lambda index: objective(network, context.scoring_batch(index)), _SCORE_BATCHES
        )

    return scores


QUANTIZE_STAGE = Stage(kind=QUANTIZE, run=_run)
