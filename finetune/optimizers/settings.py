"""Settings of the optimizer modifications: position scaling, and clipping to a range."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import Positive, PositiveCount, settings


@settings
class ZeroTargetSettings:
    """Weights drift towards zero, before pruning."""

    name: Literal["zero"] = "zero"


@settings
class GridTargetSettings:
    """Weights drift towards the nearest point of a uniform grid, before quantization.

    Attributes:
        bits: of the grid, in layers that are not quantized yet; a quantized layer has a grid of its own.
        grid: the outermost point is the largest magnitude of the `layer`, or of each output `channel`, as after
            BatchNorm is folded.

    """

    name: Literal["grid"] = "grid"
    bits: Annotated[int, Field(ge=2, le=16)] = 4
    grid: Literal["layer", "channel"] = "layer"


TargetSettings = Annotated[ZeroTargetSettings | GridTargetSettings, Choice("zero")]


@settings
class PSGDSettings:
    """Position-scaled steps, which let weights drift towards targets.

    Attributes:
        strength: factor on the scaled step, the source's lambda.
        target: what weights drift towards.
        scale: `layer` measures distances to the target by their mean over the layer's non-zero weights, so that a
            strength of 1 keeps the mean step; `absolute` takes them as they are.

    """

    strength: Positive = 1.0
    target: TargetSettings = ZeroTargetSettings()
    scale: Literal["layer", "absolute"] = "layer"


@settings
class ScaleClipSettings:
    """Weights are clipped to a multiple of their mean magnitude after every step, which spreads them evenly.

    Attributes:
        scale: the range in mean magnitudes of a group; near 2 is best for few bits.
        group: consecutive output channels of a group.

    """

    scale: Positive = 2.0
    group: PositiveCount = 16
