"""Strong augmentation of a pair: the same for both views where geometry demands it, else asymmetric.

Interpretation: the kinds of change are those that RAFT-Stereo (Lipson, Teed, Deng 2021) and HSMNet (Yang et al. 2019)
train with; the distributions and the default strengths are ours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from disparsity.datasets.augmentation.geometry import mirror, shift_rows
from disparsity.datasets.augmentation.settings import StrongAugmentationSettings
from disparsity.datasets.sample import Sample


def augment(sample: Sample, settings: StrongAugmentationSettings, rng: np.random.Generator) -> Sample:
    """One random change of a sample (all but `zoom`); the same `rng` state gives the same result."""
    if rng.random() < settings.mirror:
        sample = mirror(sample)
    if rng.random() < settings.flip:
        names = ("left", "right", "disparity", "valid")
        sample = replace(sample, **{name: getattr(sample, name).flip(-2) for name in names})
    symmetric, own = _draw_colours(settings, rng), _draw_colours(settings, rng)
    left = _coloured(sample.left, symmetric)
    right = _coloured(sample.right, own if rng.random() < settings.asymmetric else symmetric)
    rows = float(rng.uniform(-1, 1)) * settings.shift_y_px
    right = shift_rows(right, rows) if rows else right
    if rng.random() < settings.occlusion:
        right = _patched(right, settings.patch_px, rng)
    return replace(sample, left=left, right=right)


def draw_zoom(settings: StrongAugmentationSettings, rng: np.random.Generator) -> float:
    """A random scale."""
    return float(2.0 ** (settings.zoom * rng.uniform(-1, 1)))


def _draw_colours(settings: StrongAugmentationSettings, rng: np.random.Generator) -> tuple[float, float, float, float]:
    strengths = (settings.brightness, settings.contrast, settings.saturation)
    brightness, contrast, saturation = (1 + strength * float(rng.uniform(-1, 1)) for strength in strengths)
    return brightness, contrast, saturation, settings.hue * float(rng.uniform(-1, 1))


def _coloured(view: Tensor, colours: tuple[float, float, float, float]) -> Tensor:
    from kornia import enhance  # noqa: PLC0415 - slow to import, and few recipes use it

    brightness, contrast, saturation, hue = colours
    changed = (view * brightness).clamp(0, 1) if brightness != 1 else view
    changed = enhance.adjust_contrast_with_mean_subtraction(changed, contrast) if contrast != 1 else changed
    changed = enhance.adjust_saturation(changed, saturation) if saturation != 1 else changed
    return (enhance.adjust_hue(changed, hue) if hue else changed).clamp(0, 1)


def _patched(view: Tensor, longest: int, rng: np.random.Generator) -> Tensor:
    patched = view.clone()
    mean = view.mean((1, 2))[:, None, None]
    for _ in range(int(rng.integers(1, 4))):
        height, width = (int(side) for side in rng.integers(1, longest + 1, 2))
        top, left = int(rng.integers(view.shape[1])), int(rng.integers(view.shape[2]))
        patched[:, top : top + height, left : left + width] = mean
    return patched
