"""Settings of the reconstruction by least squares, and of the rounding that uses it."""

from __future__ import annotations

from typing import Annotated, Literal

from disparsity.base.choice import Choice
from disparsity.base.settings import NonNegative, PositiveCount, settings


@settings
class LeastSquaresSettings:
    """How every layer is solved.

    Attributes:
        positions: output positions sampled per layer.
        ridge: pull towards the old weights, relative to the mean diagonal of the normal matrix.

    """

    positions: PositiveCount = 24000
    ridge: NonNegative = 1e-3


@settings
class NearestSettings:
    """Every weight goes to the nearest code."""

    name: Literal["nearest"] = "nearest"


@settings
class ReconstructRoundingSettings(LeastSquaresSettings):
    """One weight after the other goes to its code, and the rest of its filter makes up for the error."""

    name: Literal["reconstruct"] = "reconstruct"


RoundingSettings = Annotated[NearestSettings | ReconstructRoundingSettings, Choice("reconstruct")]
