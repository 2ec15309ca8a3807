"""The roofline: what bounds a layer, the multipliers or the memory's bandwidth.

Source: Williams, Waterman, Patterson, Roofline, CACM 2009.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RooflinePoint:
    """One layer under the roof.

    Attributes:
        intensity_macs_per_byte: products per byte of DRAM traffic.
        attainable_macs_per_cycle: the roof at this intensity.
        bound: ``compute`` or ``memory``.
        cycles: of the slower of both, one overlapping the other.

    """

    intensity_macs_per_byte: float
    attainable_macs_per_cycle: float
    bound: str
    cycles: int


def roofline(
    macs: int, dram_bytes: float, compute_cycles: int, *, multipliers: int, bytes_per_cycle: float
) -> RooflinePoint:
    """Where a layer stands, given the cycles that the array needs for it and the bytes it moves.

    Args:
        macs: products that are done.
        dram_bytes: moved, above 0.
        compute_cycles: of the array, memory aside.
        multipliers: of the array.
        bytes_per_cycle: the memory's bandwidth, above 0.

    """
    intensity = macs / dram_bytes
    transfer = -int(-dram_bytes // bytes_per_cycle)
    return RooflinePoint(
        intensity_macs_per_byte=intensity,
        attainable_macs_per_cycle=min(float(multipliers), intensity * bytes_per_cycle),
        bound="memory" if transfer > compute_cycles else "compute",
        cycles=max(compute_cycles, transfer),
    )
