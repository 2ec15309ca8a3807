"""Scoring pass of stage `prune`: the recipe's score over batches, responses and reconstructions of this run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.finetune.objective import Objective
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.sparse.switch import switch_off
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.quant.attach import rounded_weight
from disparsity.recipe.sections import PruneSection
from disparsity.run.context import StageContext
from disparsity.stereo.network import StereoNetwork


def score_pass(
    context: StageContext,
    section: PruneSection,
    network: StereoNetwork,
    layers: Mapping[str, nn.Module],
    objective: Objective,
    scorer: Reconstructor | None,
) -> ScorePass | None:
    """The pass that runs at every event; None for a score that the training steps leave behind.

    Args:
        context: of the stage.
        section: names the score.
        network: that is pruned, masks attached.
        layers: the scored ones by name.
        objective: the training loss.
        scorer: of score `obs`.

    """
    if section.score.from_steps:
        return None
    return SCORES[section.score.name](
        ScoringContext(
            network=network,
            layers=layers,
            batch_loss=lambda index: objective(network, context.scoring_batch(index)),
            sample_loss=lambda index: objective(network, context.scoring_batch(index, 1)),
            rounded=rounded_weight,
            ones_response=lambda copied: _ones_response(copied, context.calibration_batch(1).left),
            saliencies=scorer.scores if scorer else None,
            seed=context.recipe.seed,
        ),
        section.score,
    )


def _ones_response(network: nn.Module, like: Tensor) -> Tensor:
    """The sum of all disparities that a network estimates from normalised views of ones, float64.

    Args:
        network: a copy, whose layers compute densely from here on.
        like: ``[B, 3, H, W]``, views of the wanted size; it is rounded up to the network's divisor.

    """
    assert isinstance(network, StereoNetwork)
    switch_off(network)
    divisor = network.spec.divisor
    height, width = (-(-size // divisor) * divisor for size in like.shape[-2:])
    ones = torch.ones(1, 3, height, width, dtype=torch.float64, device=like.device)
    return torch.stack([disparity.sum() for disparity in network.estimate(ones, ones)]).sum()
