"""Quantizers by name: how the quantizers of weights and of activations are built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from disparsity.quant.quantizers.additive_power_of_two import additive_power_of_two_weight
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.lsq import lsq_activation, lsq_weight
from disparsity.quant.quantizers.power_of_two import power_of_two_weight
from disparsity.quant.quantizers.scale_clip import scale_clip_weight
from disparsity.quant.quantizers.settings import (
    AdditivePowerOfTwoSettings,
    LSQSettings,
    PowerOfTwoSettings,
    ScaleClipSettings,
    TernarySettings,
    TransformSettings,
    UniformSettings,
)
from disparsity.quant.quantizers.ternary import ternary_weight
from disparsity.quant.quantizers.transform import transform_weight
from disparsity.quant.quantizers.uniform import uniform_activation, uniform_weight


@dataclass(frozen=True, kw_only=True)
class QuantizerBuilder:
    """How one kind of quantizer is built.

    Attributes:
        settings: its settings class.
        weight: from (effective weight, bits, channel axis, settings, whether steps are fitted to the weight; else they
            are 1, for a state that is loaded next).
        activation: from (bits, lowest code or None when the calibration decides); 1..16 bits.

    """

    settings: type[Any]
    weight: Callable[[Tensor, int, int, Any, bool], WeightQuantizer]
    activation: Callable[[int, int | None], ActivationQuantizer] = lsq_activation


QUANTIZERS: dict[str, QuantizerBuilder] = {
    "lsq": QuantizerBuilder(settings=LSQSettings, weight=lsq_weight),
    "uniform": QuantizerBuilder(settings=UniformSettings, weight=uniform_weight, activation=uniform_activation),
    "power_of_two": QuantizerBuilder(settings=PowerOfTwoSettings, weight=power_of_two_weight),
    "additive_power_of_two": QuantizerBuilder(settings=AdditivePowerOfTwoSettings, weight=additive_power_of_two_weight),
    "ternary": QuantizerBuilder(settings=TernarySettings, weight=ternary_weight),
    "scale_clip": QuantizerBuilder(settings=ScaleClipSettings, weight=scale_clip_weight),
    "transform": QuantizerBuilder(settings=TransformSettings, weight=transform_weight),
}
