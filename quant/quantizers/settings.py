"""Settings of the quantizers: one class per quantizer, and the choices that several of them share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import FractionBelowOne, PositiveCount, settings
from disparsity.quant.bits import FLOAT_BITS, MAX_BITS

Percentile = Annotated[float, Field(gt=0, le=100)]


@settings
class PerTensorSettings:
    """One step for a layer's weight."""

    name: Literal["per_tensor"] = "per_tensor"

    def channels_per_step(self, channels: int) -> int:
        """How many of a layer's output channels share a step."""
        return max(1, channels)


@settings
class PerChannelSettings:
    """A step per output channel."""

    name: Literal["per_channel"] = "per_channel"

    def channels_per_step(self, channels: int) -> int:
        """How many of a layer's output channels share a step."""
        del channels
        return 1


@settings
class PerGroupSettings:
    """A step per group of output channels.

    Attributes:
        size: consecutive output channels of a group; the last group may be smaller.

    """

    name: Literal["per_group"] = "per_group"
    size: PositiveCount = 16

    def channels_per_step(self, channels: int) -> int:
        """How many of a layer's output channels share a step."""
        return max(1, min(self.size, channels))


GranularitySettings = Annotated[PerTensorSettings | PerChannelSettings | PerGroupSettings, Choice("per_channel")]


@settings
class MSEStepSettings:
    """The step with the smallest mean squared rounding error."""

    name: Literal["mse"] = "mse"


@settings
class MeanStepSettings:
    """Twice the mean magnitude over the root of the largest code."""

    name: Literal["mean"] = "mean"


@settings
class MaxStepSettings:
    """The step that clips nothing."""

    name: Literal["max"] = "max"


@settings
class PercentileStepSettings:
    """The step that clips the largest magnitudes.

    Attributes:
        percentile: of the magnitudes, above which they are clipped; 100 clips nothing.

    """

    name: Literal["percentile"] = "percentile"
    percentile: Percentile = 99.9


@settings
class NormStepSettings:
    """The scale that keeps the norm of the weights that share it."""

    name: Literal["norm"] = "norm"


StepRule = MSEStepSettings | MeanStepSettings | MaxStepSettings | PercentileStepSettings
StepSettings = Annotated[StepRule, Choice("mse")]
ScaleSettings = Annotated[
    MSEStepSettings | MeanStepSettings | MaxStepSettings | PercentileStepSettings | NormStepSettings, Choice("mse")
]


class QuantizerFlags:
    """What holds for a quantizer unless its settings class says otherwise.

    Attributes:
        widths: the weight bits that it has.
        keeps_zeros: pruned weights stay exactly 0; a quantizer that cannot keep them refuses them.

    """

    widths: ClassVar[range] = range(1, MAX_BITS + 1)
    keeps_zeros: ClassVar[bool] = True


@settings
class GridSettings(QuantizerFlags):
    """Settings of every quantizer with a grid whose steps are fitted.

    Attributes:
        granularity: which weights share a step.
        initialisation: how the first steps follow from the non-zero effective weights.

    """

    granularity: GranularitySettings = PerChannelSettings()
    initialisation: StepSettings = MSEStepSettings()


@settings
class LSQSettings(GridSettings):
    """A uniform grid, its steps learned with the weights; 1..16 bits."""

    name: Literal["lsq"] = "lsq"


@settings
class UniformSettings(GridSettings):
    """A uniform grid, its steps kept as the initialisation chose them; 1..16 bits."""

    name: Literal["uniform"] = "uniform"


OtherSettings = Annotated[LSQSettings | UniformSettings, Choice("lsq")]


@settings
class PowerOfTwoSettings(GridSettings):
    """Weights of one power of two: products are shifts; 2..5 bits.

    Attributes:
        other: takes the layers whose bits this quantizer does not have, such as the first layers' 8 bits.

    """

    widths: ClassVar[range] = range(2, 6)
    name: Literal["power_of_two"] = "power_of_two"
    other: OtherSettings = LSQSettings()


@settings
class AdditivePowerOfTwoSettings(GridSettings):
    """Weights that are sums of powers of two (term_bits); 2..8 bits.

    Attributes:
        term_bits: bits of every power of two in a sum; 1 is a uniform grid.
        other: takes the layers whose bits this quantizer does not have.

    """

    widths: ClassVar[range] = range(2, 9)
    name: Literal["additive_power_of_two"] = "additive_power_of_two"
    term_bits: Annotated[int, Field(ge=1, le=15)] = 2
    other: OtherSettings = LSQSettings()


@settings
class TernarySettings(QuantizerFlags):
    """The pruned network's zeros, and signs times a learned scale; 2 bits.

    Attributes:
        threshold: weights below this fraction of their channel's mean magnitude become 0; at 0 only pruned ones are 0.
        scale: how the first scales follow from the weights above the threshold.
        granularity: which weights share a scale.
        other: takes the layers whose bits this quantizer does not have, such as the first layers' 8 bits.

    """

    widths: ClassVar[range] = range(2, 3)
    name: Literal["ternary"] = "ternary"
    threshold: FractionBelowOne = 0.7
    scale: ScaleSettings = MSEStepSettings()
    granularity: GranularitySettings = PerChannelSettings()
    other: OtherSettings = LSQSettings()


@settings
class ScaleClipSettings(QuantizerFlags):
    """A uniform grid that ends at `scale` mean magnitudes of a group of filters; 2..16 bits.

    Attributes:
        scale: where the grid ends, in mean magnitudes of a group's non-zero weights.
        granularity: which weights share a range.
        other: takes the layers whose bits this quantizer does not have.

    """

    widths: ClassVar[range] = range(2, MAX_BITS + 1)
    name: Literal["scale_clip"] = "scale_clip"
    scale: Annotated[float, Field(gt=0, le=100)] = 2.0
    granularity: GranularitySettings = PerChannelSettings()
    other: OtherSettings = LSQSettings()


@settings
class TransformSettings(QuantizerFlags):
    """Weights stored as two factors in a decorrelated basis, arithmetic in float; 1..8 bits on average.

    Attributes:
        basis: `elt` looks at the network's gradients, `klt` at the weights alone.
        side: which channels it mixes: `row`, the input's, or `column`, the output's.
        mixing_bits: of the matrix that mixes them.
        blocks: blocks of rows whose steps are chosen by the distortion of the network's output; 0 keeps the steps with
            the smallest error of the rows themselves.
        probes: random projections of the output, per calibration pair, that the gradients are taken of.
        other: takes the layers whose bits this quantizer does not have.

    """

    widths: ClassVar[range] = range(1, 9)
    keeps_zeros: ClassVar[bool] = False
    name: Literal["transform"] = "transform"
    basis: Literal["elt", "klt"] = "elt"
    side: Literal["row", "column"] = "row"
    mixing_bits: Annotated[int, Field(ge=2, le=8)] = 4
    blocks: Annotated[int, Field(ge=0)] = 8
    probes: PositiveCount = 4
    other: OtherSettings = LSQSettings()


Quantizer = (
    LSQSettings
    | UniformSettings
    | PowerOfTwoSettings
    | AdditivePowerOfTwoSettings
    | TernarySettings
    | ScaleClipSettings
    | TransformSettings
)
QuantizerSettings = Annotated[Quantizer, Choice("lsq")]


def quantizer_for(bits: int, chosen: Quantizer) -> Quantizer:
    """The chosen quantizer, or the other one that it names where it has no weights of this width."""
    if bits in (*chosen.widths, FLOAT_BITS) or isinstance(chosen, LSQSettings | UniformSettings):
        return chosen
    return chosen.other
