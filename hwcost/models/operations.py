"""Bit operations (BOPs) by three published definitions; they differ by half, so every figure names its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from disparsity.hwcost.tracing.layer_call import LayerCall

REDUCTION_DEFINITION = "mac_product"
"""The definition behind `operations.reduction_percent.bops`."""


def mac_product(call: LayerCall) -> float:
    """``MAC_effectual b_w b_a``: products whose weight is zero cost nothing.

    Source: the count of QONNX's inference cost and of van Baalen et al., Bayesian Bits, NeurIPS 2020.
    """
    return call.effectual_macs * call.weight_bits * call.activation_bits


def uniq(call: LayerCall) -> float:
    """``MAC (b_w b_a + b_w + b_a + log2 fan_in)``: the accumulation counts, zeros are not skipped.

    Source: Baskin et al., UNIQ, ACM TOCS 2021, section 4.2.
    """
    return call.dense_macs * (call.weight_bits * call.activation_bits + _accumulation(call))


def ps_and_qs(call: LayerCall) -> float:
    """``MAC ((1 - pruned share) b_w b_a + b_w + b_a + log2 fan_in)``: zeros skip the product, not the sum.

    Source: Hawks et al., Ps and Qs, Frontiers in AI 2021, equation 3.
    """
    return call.effectual_macs * call.weight_bits * call.activation_bits + call.dense_macs * _accumulation(call)


BOPS: dict[str, Callable[[LayerCall], float]] = {"mac_product": mac_product, "uniq": uniq, "ps_and_qs": ps_and_qs}


def total_bops(calls: Iterable[LayerCall]) -> dict[str, float]:
    """Network totals by definition."""
    calls = list(calls)
    return {name: sum(map(definition, calls)) for name, definition in BOPS.items()}


def csd_adders(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Adders of a multiplier by each constant: non-zero digits of its canonical signed form, minus one.

    0 and powers of two need none. A number's canonical form has ``popcount(n xor 3n)`` non-zero digits.
    """
    sizes = np.abs(codes.astype(np.int64))
    digits = np.bitwise_count(sizes ^ (3 * sizes)).astype(np.int64)
    return np.maximum(digits - 1, 0)


def _accumulation(call: LayerCall) -> float:
    return call.weight_bits + call.activation_bits + math.log2(max(call.fan_in, 1))
