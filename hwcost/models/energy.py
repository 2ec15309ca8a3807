"""Energy and area of a network's arithmetic, and the least energy its memory traffic can take.

A multiply-accumulate is one multiplier at the operands' widths and one adder at the accumulator's width.
Where weights or inputs are in float, it is a float32 multiplier and a float32 adder. Powers of two and sums of them are
counted as multipliers of their stored width, though they need shifters and adders only: an upper bound, since the
profiles have no shifter (the shifts and adders themselves are in the report's section multipliers).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.quantities import UNKNOWN, Column, Ends, Number, Reduction, Row, ends_row, total
from disparsity.hwcost.models.storage import MemorySection, dense_bytes
from disparsity.hwcost.profiles.technology import Operator, Profile
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

_PROFILE = "the profile that the report names"


@dataclass(frozen=True, kw_only=True)
class HardwareReductions:
    """Percent saved; `total_energy` is that of products and memory together."""

    mac_energy: Reduction | None
    mac_area: Reduction | None
    total_energy: Reduction | None


@dataclass(frozen=True, kw_only=True)
class HardwareSection:
    """Energy and area of both networks under one technology profile."""

    profile: str | None
    profile_source: str | None = None
    mac_energy_pj: Ends
    mac_area_um2: Ends
    memory_energy_pj: Ends
    reduction_percent: HardwareReductions

    def total_energy_pj(self) -> Ends:
        """Products and memory together."""
        return _sum(self.mac_energy_pj, self.memory_energy_pj)

    def rows(self) -> list[Row]:
        """Energy of products, of memory and of both, and area."""
        group, saved = f"hardware, profile {self.profile or UNKNOWN}", self.reduction_percent
        return [
            ends_row(group, "MAC energy", "pJ", self.mac_energy_pj, saved.mac_energy),
            ends_row(group, "memory energy", "pJ", self.memory_energy_pj),
            ends_row(group, "total energy", "pJ", self.total_energy_pj(), saved.total_energy),
            ends_row(group, "MAC area", "um2", self.mac_area_um2, saved.mac_area),
        ]


@dataclass(frozen=True, kw_only=True)
class EnergyColumns:
    """Energy and area of one call's products."""

    mac_energy_pj: Annotated[
        Number | None,
        Column(
            title="MAC energy",
            unit="pJ",
            formula="effectual MACs × (multiply + accumulate energy at these bits)",
            source=_PROFILE,
        ),
    ] = None
    mac_area_um2: Annotated[
        Number | None,
        Column(
            title="MAC area × work",
            unit="µm²",
            formula="effectual MACs × (multiplier + adder area at these bits): a ratio between networks, no chip area",
            source=_PROFILE,
        ),
    ] = None


def hardware_section(dense: Workload, compressed: Workload, memory: MemorySection, profile: Profile) -> HardwareSection:
    """Energy and area. The stored weights are the packed file, or the best format when there is none."""
    stored = memory.packed_file_bytes or (min(memory.formats.values()) if memory.formats else None)
    energy = Ends(dense=mac_energy_pj(dense.calls, profile), compressed=mac_energy_pj(compressed.calls, profile))
    area = Ends(dense=mac_area_um2(dense.calls, profile), compressed=mac_area_um2(compressed.calls, profile))
    moved = Ends(
        dense=memory_energy_pj(dense.calls, dense_bytes(dense), profile),
        compressed=None if stored is None else memory_energy_pj(compressed.calls, stored, profile),
    )
    both = _sum(energy, moved)
    return HardwareSection(
        profile=profile.name,
        profile_source=profile.source,
        mac_energy_pj=energy,
        mac_area_um2=area,
        memory_energy_pj=moved,
        reduction_percent=HardwareReductions(
            mac_energy=energy.reduction_percent,
            mac_area=area.reduction_percent,
            total_energy=both.reduction_percent,
        ),
    )


def energy_columns(call: LayerCall, profile: Profile) -> EnergyColumns:
    """The columns of a call, with weights or without."""
    return EnergyColumns(mac_energy_pj=mac_energy_pj([call], profile), mac_area_um2=mac_area_um2([call], profile))


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


def _sum(one: Ends, other: Ends) -> Ends:
    return Ends(dense=total((one.dense, other.dense)), compressed=total((one.compressed, other.compressed)))
