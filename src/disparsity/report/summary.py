"""Summary of a report: the lines of its before/after table, and the headline figures."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.models.accumulators import AccumulatorsSection
from disparsity.hwcost.models.effectual import effectual_rows
from disparsity.hwcost.models.quantities import UNKNOWN, Ends, Row, ends_row
from disparsity.hwcost.models.roofline import RooflineSection
from disparsity.hwcost.models.shift_and_add import MultipliersSection
from disparsity.hwcost.models.sparse_execution import SparseExecutionSection
from disparsity.hwcost.models.traffic import TrafficSection
from disparsity.report.accuracy import accuracy_rows, data_ends
from disparsity.report.measured_latency import measured_lines
from disparsity.report.numbers import ratio_text
from disparsity.report.report import Report, unknown
from disparsity.report.table_lines import Line, line


@dataclass(frozen=True, kw_only=True)
class Card:
    """One headline figure: what it is, the figure, and what it was computed from."""

    label: str
    figure: str
    detail: str


def lines(report: Report) -> list[Line]:
    """All lines of the before/after table, grouped, in the order in which they are shown."""
    plain = [
        *accuracy_rows(report.accuracy),
        *report.memory.rows(),
        *report.operations.rows(),
        *report.hardware.rows(),
        *report.latency.rows(),
    ]
    return [*map(line, plain), *measured_lines(report.measured_latency), *map(line, _machine_rows(report))]


def _machine_rows(report: Report) -> list[Row]:
    """What depends on the machine; what needs real pairs says that it was not measured without them."""
    return [
        *(report.traffic or unknown(TrafficSection)).rows(),
        *(report.roofline or unknown(RooflineSection)).rows(),
        *(report.sparse_execution or unknown(SparseExecutionSection)).rows(),
        *effectual_rows(report.effectual),
        *(report.accumulators or unknown(AccumulatorsSection)).rows(measured=report.effectual is not None),
        *(report.multipliers or unknown(MultipliersSection)).rows(),
        *report.activations.rows(),
    ]


def cards(report: Report) -> list[Card]:
    """The four headline figures: memory, MAC energy, BOPs and the error."""
    hardware = report.hardware
    stored = Ends(dense=report.memory.dense_bytes, compressed=report.memory.packed_file_bytes)
    definition, bops = next(iter(report.operations.bops.items()), ("BOPs", Ends(dense=None, compressed=None)))
    energy, saved = hardware.mac_energy_pj, hardware.reduction_percent.mac_energy
    return [
        _card(ends_row("", "Weight memory", "B", stored, report.memory.reduction_percent), "packed file"),
        _card(ends_row("", "MAC energy", "pJ", energy, saved), f"profile {hardware.profile or UNKNOWN}"),
        _card(ends_row("", "Bit operations", "count", bops), definition),
        _error_card(report),
    ]


def _card(row: Row, of: str) -> Card:
    shown = line(row)
    return Card(label=row.label, figure=shown.change, detail=f"{shown.before} → {shown.after}, {of}")


def _error_card(report: Report) -> Card:
    ends = data_ends(report.accuracy)
    if not ends:
        return Card(label="Disparity error (EPE)", figure=UNKNOWN, detail="no data was evaluated before and after")
    before, after = ends[0]
    known = before.epe_px is not None and after.epe_px is not None
    return Card(
        label="Disparity error (EPE)",
        figure=ratio_text(before.epe_px, after.epe_px),
        detail=f"{before.epe_px:.3f} → {after.epe_px:.3f} px, {before.data}" if known else before.data,
    )
