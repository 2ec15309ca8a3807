"""Normalisation of scores, so that scores of different layers are comparable."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def normalised(scores: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The scores of every layer in the scale that a normalisation gives them.

    Source of `layer_l2`: Molchanov et al., ICLR 2017 (layer-wise L2 normalisation of the Taylor criterion), per weight
    instead of per feature map. A layer whose scores are all zero keeps them.

    Args:
        scores: by layer.
        name: "none" or "layer_l2".

    """
    if name == "none":
        return dict(scores)
    return {layer: _unit(score) for layer, score in scores.items()}


def per_mac(scores: Mapping[str, Tensor], macs: Mapping[str, float], power: float) -> dict[str, Tensor]:
    """Divide every layer's scores by the MACs that one of its weights costs, to a power.

    Power 0 leaves the scores alone (memory is what counts), 1 ranks by importance per operation.
    Interpretation: the right ranking when the objective is hardware cost rather than parameter count.
    """
    if power == 0.0:
        return dict(scores)
    return {name: score / macs[name] ** power for name, score in scores.items()}


def _unit(score: Tensor) -> Tensor:
    # squares of Taylor scores leave float32 at both ends
    norm = torch.linalg.vector_norm(score, dtype=torch.float64)
    return (score.double() / norm).float() if norm > 0 else score
