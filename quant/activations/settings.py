"""Settings of the calibration of activations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import PositiveCount, settings


@settings
class AutoRuleSettings:
    """`max` on grids of 8 bits and more, `mse` on coarser ones."""

    name: Literal["auto"] = "auto"


@settings
class MSERuleSettings:
    """The step with the smallest mean squared rounding error over the sample."""

    name: Literal["mse"] = "mse"


@settings
class PercentileRuleSettings:
    """The step that clips the values whose magnitude is above a percentile.

    Attributes:
        percentile: of the magnitudes, above which they are clipped.

    """

    name: Literal["percentile"] = "percentile"
    percentile: Annotated[float, Field(gt=0, le=100)] = 99.9


@settings
class MaxRuleSettings:
    """The step that clips nothing that was observed: min-max."""

    name: Literal["max"] = "max"


RuleSettings = Annotated[AutoRuleSettings | MSERuleSettings | PercentileRuleSettings | MaxRuleSettings, Choice("auto")]


@settings
class CalibrationSettings:
    """How the steps of activations are chosen.

    Attributes:
        rule: from a sample of a layer's inputs to a step.
        samples_per_call: how many values of each call of a layer are kept, the largest magnitudes among them, which a
            random sample would miss; the range is taken from all values.
        seed: of the positions that are sampled.

    """

    rule: RuleSettings = AutoRuleSettings()
    samples_per_call: PositiveCount = 4096
    seed: int = 0
