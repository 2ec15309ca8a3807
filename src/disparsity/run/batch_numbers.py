"""Batch numbers: which batches of a run's stream training, scoring, recalibration and calibration take.

A batch is a pure function of (seed, number), and a number may be any integer of at least 0. Whatever takes the same
number from the same data sees the same pairs in the same crops. So every use has its own range, and a change of a range
changes the bits of every result.

| numbers              | use                                                    |
|----------------------|--------------------------------------------------------|
| 0 ...                | steps of `train`; steps of `prune`, all rounds together |
| 7,919                | the calibration batch, from the calibration data        |
| 104,729 ...          | scoring passes                                         |
| 3,000,000 ...        | steps of `finetune`, all rounds together                |
| 5,000,000 ...        | steps of `finetune_quantized`, all rounds together      |
| 15,485,863 ...       | recalibration of BatchNorm                             |
"""

from __future__ import annotations

from disparsity.recipe.stages import FINETUNE, FINETUNE_QUANTIZED, PRUNE, TRAIN

STEPS_FROM = {TRAIN.name: 0, PRUNE.name: 0, FINETUNE.name: 3_000_000, FINETUNE_QUANTIZED.name: 5_000_000}
"""First batch of a stage's steps. `train` never shares a run with the others. A million steps fit before the next
stage's batches; without the ranges each stage would see the pairs of the stage before again, in the same crops."""

CALIBRATION = 7_919
"""The calibration batch. The number is far from 0, whose batch the checks before a run and the first training step
take. Where calibration data is the training data, step 7,919 of `prune` sees these pairs too, which does no harm."""

SCORES_FROM = 104_729
"""First batch of a scoring pass: behind the steps of all but the longest `prune` stages, so that weights are scored on
crops that the network has not been trained on. Every event scores the same batches."""

RECALIBRATION_FROM = 15_485_863
"""First batch of a recalibration: behind the steps of all stages, for the same reason."""
