"""Energy and area of a network's arithmetic, and the least energy its memory traffic can take.

A multiply-accumulate is one multiplier at the operands' widths and one adder at the accumulator's width.
Where weights or inputs are in float, it is a float32 multiplier and a float32 adder. Powers of two and sums of them are
counted as multipliers of their stored width, though they need shifters and adders only: an upper bound, since the
profiles have no shifter (the shifts and adders themselves are in the report's section multipliers).
"""

from __future__ import annotations

from collections.abc import Iterable

from disparsity.hwcost.profiles.technology import Operator, Profile
from disparsity.hwcost.tracing.layer_call import LayerCall


def mac_operator(call: LayerCall, profile: Profile) -> Operator:
    """Energy and area of one multiply-accumulate of a layer.

    Source: profile constants; widths as in the record (accumulator ``b_w + b_a + ceil(log2 fan_in)``).
    """
    if call.is_float:
        multiply, add = profile.float_multiply, profile.float_add
    else:
        multiply = profile.integer_multiply.at(call.weight_bits * call.activation_bits / 64)
        add = profile.integer_add.at(call.accumulator_bits / 8)
    known = multiply.area_um2 is not None and add.area_um2 is not None
    area = (multiply.area_um2 or 0.0) + (add.area_um2 or 0.0) if known else None
    return Operator(energy_pj=multiply.energy_pj + add.energy_pj, area_um2=area)


def mac_energy_pj(calls: Iterable[LayerCall], profile: Profile) -> float:
    """Energy of all products whose weight is not zero."""
    return sum(call.effectual_macs * mac_operator(call, profile).energy_pj for call in calls)


def mac_area_um2(calls: Iterable[LayerCall], profile: Profile) -> float | None:
    """Area x work: the sum over products whose weight is not zero of the area of their multiply-accumulate unit.

    Interpretation: the area of a fully unrolled network, one unit per product; its ratio between two networks
    is that of two arrays that finish in equal time. It is no chip area. None where the profile has no areas.
    """
    areas = [(call.effectual_macs, mac_operator(call, profile).area_um2) for call in calls]
    known = [macs * area for macs, area in areas if area is not None]
    return sum(known) if len(known) == len(areas) else None


def memory_energy_pj(calls: Iterable[LayerCall], weight_bytes: float, profile: Profile) -> float | None:
    """Compulsory DRAM traffic: the stored weights read once, every call's inputs read and output written once.

    A lower bound: no tile is loaded twice, and an operation that can be fused into the layer before moves its other
    operands only. Inputs and outputs move at the call's activation bits (Interpretation: an output is written in the
    precision of a layer like the one that made it). None where the profile has no DRAM.
    """
    if profile.dram_pj_per_bit is None:
        return None
    bits = sum(call.moved_elements * call.activation_bits for call in calls)
    return (bits + 8 * weight_bytes) * profile.dram_pj_per_bit


def sram_energy_pj(moved_bytes: float, buffer_bytes: float, profile: Profile) -> float | None:
    """Energy of `moved_bytes` read from or written to a buffer of this capacity; None where the profile has no SRAM."""
    return None if profile.sram is None else 8 * moved_bytes * profile.sram.at(buffer_bytes)
