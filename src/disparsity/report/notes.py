"""Notes under the tables: the machine, what is modelled, warnings, and what zeros do on a CPU."""

from __future__ import annotations

from disparsity.hwcost.models.coverage import CoverageSection
from disparsity.hwcost.models.machine import MachineSection
from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.numbers import capacity_text, exact_text, percent_text
from disparsity.report.report import Report, unknown


def machine_text(report: Report) -> str:
    """The machine in one line."""
    machine = report.machine or unknown(MachineSection)
    array = UNKNOWN if machine.array is None else "×".join(map(str, machine.array))
    clock = "" if machine.clock_mhz is None else f", {exact_text(machine.clock_mhz)} MHz"
    return (
        f"{array} array, {machine.dataflow or UNKNOWN}, buffer {capacity_text(machine.buffer_bytes)}, "
        f"DRAM {exact_text(machine.dram_bytes_per_cycle)} B per cycle, {exact_text(machine.lanes)} lanes{clock}"
    )


def coverage_text(coverage: CoverageSection) -> str:
    """How much of the network's work the figures hold, and the names of what they leave out."""
    left_out = ", ".join(coverage.unmodelled) or "nothing"
    macs, moved = percent_text(coverage.macs_modelled_percent), percent_text(coverage.bytes_modelled_percent)
    return f"modelled: {macs} of MACs, {moved} of bytes; not modelled: {left_out}"


def notes(report: Report) -> list[str]:
    """Warnings of the measurement, and whether zeros make anything faster on a CPU."""
    measured = report.measured_latency
    warnings = [f"Warning: {text}." for text in measured.warnings] if measured else []
    zeros = zeros_text(report.settings.pattern)
    return warnings + ([zeros] if zeros else [])


def zeros_text(pattern: str | None) -> str | None:
    """What the exports make of weights pruned in a pattern; None where nothing was pruned."""
    if pattern in (None, "none"):
        return None
    if pattern == "channel":
        return "Removed channels are gone: every export is a smaller dense network, which runs faster on a CPU too."
    return (
        "Pruned weights stay as zeros in every export: this network runs no faster on a CPU for them. They are for "
        "accelerators that skip or gate zeros."
    )
