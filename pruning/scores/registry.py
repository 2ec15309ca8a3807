"""Scores by name: the pass that gives a score at every event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from disparsity.pruning.scores.fisher import build_fisher_obs
from disparsity.pruning.scores.magnitude import build_magnitude, build_random
from disparsity.pruning.scores.quant_aware import build_quant_aware
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.snip import build_snip
from disparsity.pruning.scores.synflow import build_synflow
from disparsity.pruning.scores.taylor import build_taylor_pass


def _build_obs(context: ScoringContext, _settings: object) -> ScorePass:
    saliencies = context.saliencies
    assert saliencies is not None, "obs needs a reconstruction"
    return lambda _event: saliencies(context.layers)


SCORES: dict[str, Callable[[ScoringContext, Any], ScorePass]] = {
    "taylor_pass": build_taylor_pass,
    "quant_aware": build_quant_aware,
    "obs": _build_obs,
    "fisher_obs": build_fisher_obs,
    "snip": build_snip,
    "synflow": build_synflow,
    "magnitude": build_magnitude,
    "random": build_random,
}
"""Every score that has a pass, from its context and its settings; `taylor` is left behind by the training steps."""
