"""Registry of quantizers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.quant.bits import MAX_BITS
from disparsity.quant.quantizers.additive_power_of_two import additive_power_of_two_weight
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.lsq import lsq_activation, lsq_weight
from disparsity.quant.quantizers.power_of_two import power_of_two_weight
from disparsity.quant.quantizers.scale_clip import scale_clip_weight
from disparsity.quant.quantizers.settings import QuantizerSettings
from disparsity.quant.quantizers.ternary import BITS as TERNARY_BITS
from disparsity.quant.quantizers.ternary import ternary_weight
from disparsity.quant.quantizers.transform import transform_weight
from disparsity.quant.quantizers.uniform import uniform_activation, uniform_weight


@dataclass(frozen=True, kw_only=True)
class QuantizerBuilder:
    """How one kind of quantizer is built.

    Attributes:
        summary: one line for a list.
        widths: the weight bits that it has.
        weight: from (effective weight, bits, channel axis, initialisation of the steps, settings).
        activation: from (bits, lowest code or None when the calibration decides); 1..16 bits.
        takes_zeros: whether pruned weights stay exactly 0; a quantizer that cannot keep them refuses them.

    """

    summary: str
    widths: range
    weight: Callable[[Tensor, int, int, str, QuantizerSettings], WeightQuantizer]
    activation: Callable[[int, int | None], ActivationQuantizer]
    takes_zeros: bool = True


QUANTIZERS: dict[str, QuantizerBuilder] = {
    "lsq": QuantizerBuilder(
        summary="a uniform grid, its steps learned with the weights; 1..16 bits",
        widths=range(1, MAX_BITS + 1),
        weight=lsq_weight,
        activation=lsq_activation,
    ),
    "uniform": QuantizerBuilder(
        summary="a uniform grid, its steps kept as the initialisation chose them; 1..16 bits",
        widths=range(1, MAX_BITS + 1),
        weight=uniform_weight,
        activation=uniform_activation,
    ),
    "power_of_two": QuantizerBuilder(
        summary="weights of one power of two: products are shifts; 2..5 bits",
        widths=range(2, 6),
        weight=power_of_two_weight,
        activation=lsq_activation,
    ),
    "additive_power_of_two": QuantizerBuilder(
        summary="weights that are sums of powers of two (term_bits); 2..8 bits",
        widths=range(2, 9),
        weight=additive_power_of_two_weight,
        activation=lsq_activation,
    ),
    "ternary": QuantizerBuilder(
        summary="the pruned network's zeros, and signs times a learned scale; 2 bits",
        widths=range(TERNARY_BITS, TERNARY_BITS + 1),
        weight=ternary_weight,
        activation=lsq_activation,
    ),
    "scale_clip": QuantizerBuilder(
        summary="a uniform grid that ends at scale_clip mean magnitudes of a group of filters; 2..16 bits",
        widths=range(2, MAX_BITS + 1),
        weight=scale_clip_weight,
        activation=lsq_activation,
    ),
    "transform": QuantizerBuilder(
        summary="weights stored as two factors in a decorrelated basis, arithmetic in float; 1..8 bits on average",
        widths=range(1, 9),
        weight=transform_weight,
        activation=lsq_activation,
        takes_zeros=False,
    ),
}


def quantizer_builder(name: str) -> QuantizerBuilder:
    """The builder of a named quantizer.

    Raises:
        InputError: no quantizer has this name.

    """
    if name not in QUANTIZERS:
        raise InputError("unknown quantizer", found=name, expected=", ".join(QUANTIZERS))
    return QUANTIZERS[name]


def builder_for(bits: int, name: str, other: str) -> QuantizerBuilder:
    """The builder of the quantizer `name`, or of `other` where `name` has no weights of this width.

    Raises:
        InputError: no quantizer has one of the names, or neither has this width.

    """
    builders = {found: quantizer_builder(found) for found in (name, other)}
    for builder in builders.values():
        if bits in builder.widths:
            return builder
    expected = " or ".join(f"{b.widths.start}..{b.widths.stop - 1} ({found})" for found, b in builders.items())
    raise InputError("no quantizer has so many weight bits", found=bits, expected=expected)
