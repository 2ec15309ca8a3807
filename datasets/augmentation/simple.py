"""Mild augmentation: colours, and both views upside down."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from disparsity.datasets.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How far colours change.

    Attributes:
        gain: brightness factor, uniform in 1 ± gain, the same for both views.
        gamma: exponent, uniform in 1 ± gamma, the same for both views.
        channel_gain: factor per colour channel, uniform in 1 ± channel_gain, the same for both views.
        asymmetry: a further brightness factor of the right view alone, uniform in 1 ± asymmetry.
        flip: probability of turning both views upside down; disparity stays horizontal.

    """

    gain: float = 0.3
    gamma: float = 0.2
    channel_gain: float = 0.1
    asymmetry: float = 0.05
    flip: float = 0.5


def jitter(sample: Sample, settings: Jitter, rng: np.random.Generator) -> Sample:
    """One random change of a sample; the same `rng` state gives the same result."""
    gamma = 1.0 + settings.gamma * rng.uniform(-1, 1)
    gain = (1.0 + settings.gain * rng.uniform(-1, 1)) * (1.0 + settings.channel_gain * rng.uniform(-1, 1, 3))
    right_gain = gain * (1.0 + settings.asymmetry * rng.uniform(-1, 1))
    changed = replace(sample, left=_colours(sample.left, gamma, gain), right=_colours(sample.right, gamma, right_gain))
    return _upside_down(changed) if rng.random() < settings.flip else changed


def _colours(view: Tensor, gamma: float, gain: np.ndarray) -> Tensor:
    factors = torch.tensor(gain, dtype=torch.float32).view(3, 1, 1)
    return view.clamp(0, 1).pow_(gamma).mul_(factors).clamp_(0, 1)


def _upside_down(sample: Sample) -> Sample:
    return replace(
        sample,
        left=sample.left.flip(-2),
        right=sample.right.flip(-2),
        disparity=sample.disparity.flip(-2),
        valid=sample.valid.flip(-2),
    )
