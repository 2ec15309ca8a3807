"""Machine that figures are computed for: technology, systolic array, buffer and memory."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.base.errors import InputError
from disparsity.hwcost.models.cycles import dataflow_named
from disparsity.hwcost.models.quantities import Number, Size
from disparsity.hwcost.profiles.technology import Profile

BUFFER_BYTES = 128 * 1024
"""Default: the power of two above Eyeriss' 108 KiB (Chen et al., ISCA 2016)."""
DRAM_BYTES_PER_CYCLE = 16.0
"""Default: 6.4 GB/s at 400 MHz, one 16-bit channel of LPDDR4-3200."""


@dataclass(frozen=True, kw_only=True)
class MachineSection:
    """The machine that a report's figures are computed for; `lanes` work in lock-step where zeros are skipped."""

    array: Size | None
    dataflow: str | None
    buffer_bytes: int | None
    dram_bytes_per_cycle: Number | None
    lanes: int | None
    clock_mhz: Number | None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A technology, a systolic array with a dataflow, one buffer and one memory.

    Attributes:
        profile: energies and areas.
        array: rows and columns.
        dataflow: `os`, `ws` or `is`.
        buffer_bytes: of the on-chip buffer that inputs, weights and sums of a tile share.
        dram_bytes_per_cycle: the memory's bandwidth.
        lanes: filters that work in lock-step where zeros are skipped; None takes one per column of the array.
        clock_mhz: None leaves times in cycles.

    """

    profile: Profile
    array: Size = (16, 16)
    dataflow: str = "ws"
    buffer_bytes: int = BUFFER_BYTES
    dram_bytes_per_cycle: float = DRAM_BYTES_PER_CYCLE
    lanes: int | None = None
    clock_mhz: float | None = None

    def __post_init__(self) -> None:
        """Refuse a machine that cannot work."""
        dataflow_named(self.dataflow)
        if min(self.array) < 1:
            raise InputError("the array has no processing element", found=f"{self.array[0]}x{self.array[1]}")
        _require_above_zero("the buffer", self.buffer_bytes)
        _require_above_zero("the DRAM bandwidth", self.dram_bytes_per_cycle)
        _require_above_zero("the number of lanes", self.parallel_filters)
        _require_above_zero("the clock", self.clock_mhz)

    @property
    def multipliers(self) -> int:
        """Of the array."""
        return self.array[0] * self.array[1]

    @property
    def parallel_filters(self) -> int:
        """Lanes in lock-step."""
        return self.array[1] if self.lanes is None else self.lanes

    def milliseconds(self, cycles: float | None) -> float | None:
        """The time of `cycles`; None without a clock."""
        return None if cycles is None or self.clock_mhz is None else cycles / (1e3 * self.clock_mhz)

    def section(self) -> MachineSection:
        """What a report states of it."""
        return MachineSection(
            array=self.array,
            dataflow=self.dataflow,
            buffer_bytes=self.buffer_bytes,
            dram_bytes_per_cycle=self.dram_bytes_per_cycle,
            lanes=self.parallel_filters,
            clock_mhz=self.clock_mhz,
        )


def _require_above_zero(what: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise InputError(f"{what} is out of range", found=value, expected="more than 0")
