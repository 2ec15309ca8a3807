"""The quantizers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from disparsity.errors import InputError
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.lsq import lsq_activation, lsq_weight


@dataclass(frozen=True, kw_only=True)
class QuantizerBuilder:
    """How one kind of quantizer is built.

    Attributes:
        weight: from (effective weight, bits, channel axis, initialisation of the steps).
        activation: from (bits, lowest code or None when the calibration decides).

    """

    weight: Callable[[Tensor, int, int, str], WeightQuantizer]
    activation: Callable[[int, bool | None], ActivationQuantizer]


QUANTIZERS: dict[str, QuantizerBuilder] = {
    "lsq": QuantizerBuilder(weight=lsq_weight, activation=lsq_activation),
}


def quantizer_builder(name: str) -> QuantizerBuilder:
    """The builder of a named quantizer.

    Raises:
        InputError: no quantizer has this name.

    """
    if name not in QUANTIZERS:
        raise InputError("unknown quantizer", found=name, expected=", ".join(QUANTIZERS))
    return QUANTIZERS[name]
