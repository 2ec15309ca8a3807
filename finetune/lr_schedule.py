"""Learning rate over the steps of a phase."""

from __future__ import annotations

import math

from disparsity.finetune.settings import TrainSettings


def learning_rate(settings: TrainSettings, step: int) -> float:
    """The rate of `step` (0-based): linear warm-up, then constant or cosine to zero."""
    warm = min(1.0, (step + 1) / (settings.warmup + 1))
    if settings.lr_schedule == "constant":
        return settings.learning_rate * warm
    return settings.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / max(1, settings.steps)))
