"""Settings of the augmentation: none, mild changes, or the strong ones that the field trains with."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import Fraction, FractionBelowOne, NonNegative, PositiveCount, settings


@settings
class NoAugmentationSettings:
    """Pairs as they are."""

    name: Literal["none"] = "none"


@settings
class MildAugmentationSettings:
    """Brightness, contrast and gamma changes, and vertical flips.

    Attributes:
        gain: brightness factor, uniform in 1 ± gain, the same for both views.
        gamma: exponent, uniform in 1 ± gamma, the same for both views.
        channel_gain: factor per colour channel, uniform in 1 ± channel_gain, the same for both views.
        asymmetry: a further brightness factor of the right view alone, uniform in 1 ± asymmetry.
        flip: probability of turning both views upside down; disparity stays horizontal.

    """

    name: Literal["mild"] = "mild"
    gain: FractionBelowOne = 0.3
    gamma: FractionBelowOne = 0.2
    channel_gain: FractionBelowOne = 0.1
    asymmetry: FractionBelowOne = 0.05
    flip: Fraction = 0.5


@settings
class StrongAugmentationSettings:
    """The field's stronger changes; every strength of 0 leaves that change out.

    Attributes:
        brightness: factor, uniform in 1 ± brightness.
        contrast: factor, uniform in 1 ± contrast.
        saturation: factor, uniform in 1 ± saturation.
        hue: shift in radians, uniform in ± hue.
        asymmetric: probability that the right view's colours change independently of the left view's.
        occlusion: probability of one to three patches of the right view's mean colour, on the right view.
        patch_px: longest side of a patch, in pixels.
        shift_y_px: the right view moves up or down by up to this.
        zoom: scale, uniform in 2 ** ± zoom; needs random crops.
        flip: probability of turning both views upside down.
        mirror: probability of swapping the views and mirroring them.

    """

    name: Literal["strong"] = "strong"
    brightness: FractionBelowOne = 0.3
    contrast: FractionBelowOne = 0.3
    saturation: FractionBelowOne = 0.4
    hue: Annotated[float, Field(ge=0, le=math.pi)] = 0.3
    asymmetric: Fraction = 0.2
    occlusion: Fraction = 0.5
    patch_px: PositiveCount = 50
    shift_y_px: NonNegative = 0.5
    zoom: Annotated[float, Field(ge=0, le=2)] = 0.3
    flip: Fraction = 0.1
    mirror: Fraction = 0.1


Augmentation = NoAugmentationSettings | MildAugmentationSettings | StrongAugmentationSettings
NO_AUGMENTATION = NoAugmentationSettings()
AugmentationSettings = Annotated[Augmentation, Choice("none")]
