"""Mild augmentation: colours, and both views upside down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from disparsity.datasets.augmentation.settings import MildAugmentationSettings
from disparsity.datasets.sample import Sample


def jitter(sample: Sample, settings: MildAugmentationSettings, rng: np.random.Generator) -> Sample:
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
