"""Every score by its name in recipes."""

from __future__ import annotations

from disparsity.pruning.scores.fisher import build_fisher_obs
from disparsity.pruning.scores.magnitude import build_magnitude, build_random
from disparsity.pruning.scores.quant_aware import build_quant_aware
from disparsity.pruning.scores.score import Score, ScorePass, ScoringContext
from disparsity.pruning.scores.snip import build_snip
from disparsity.pruning.scores.synflow import build_synflow
from disparsity.pruning.scores.taylor import build_taylor_pass


def _build_obs(context: ScoringContext) -> ScorePass:
    return lambda _event: context.saliencies(context.layers)


SCORES: dict[str, Score] = {
    "taylor": Score(
        description="running average of weight x gradient (see taylor_form) from the training steps, at no extra pass",
        build=None,
        with_norms=True,
    ),
    "taylor_pass": Score(
        description="mean of weight x gradient (see taylor_form) in a pass of its own, BatchNorm in eval mode",
        build=build_taylor_pass,
        with_norms=True,
    ),
    "quant_aware": Score(
        description="mean of quantized weight x gradient there (see taylor_form) in a pass of its own: the joint score",
        build=build_quant_aware,
        under_quantizers=True,
    ),
    "obs": Score(
        description="error that is left after the layer's other weights are solved again, times the disparity's "
        "sensitivity",
        build=_build_obs,
    ),
    "fisher_obs": Score(
        description="weight^2 times the diagonal Fisher matrix of single samples, over two",
        build=build_fisher_obs,
        with_norms=True,
    ),
    "snip": Score(
        description="absolute derivative of the loss by the weight's mask, as a share of all",
        build=build_snip,
        with_norms=True,
    ),
    "synflow": Score(
        description="flow over the weight through the network of absolute weights; needs no data",
        build=build_synflow,
        with_norms=True,
    ),
    "magnitude": Score(description="absolute value of the weight", build=build_magnitude, under_quantizers=True),
    "random": Score(description="seeded noise, the control", build=build_random, under_quantizers=True),
}
