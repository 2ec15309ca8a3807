"""A report of which nothing is known."""

from __future__ import annotations

from disparsity.hwcost.models.quantities import Ends
from disparsity.report.report import Report, unknown


def test_the_skeleton_knows_nothing() -> None:
    report = unknown(Report)
    assert (report.schema, report.version) == ("disparsity.report", 1)
    assert report.memory.packed_file_bytes is None
    assert (report.operations.reduction_percent.macs, report.operations.reduction_percent.bops) == (None, None)
    assert report.hardware.mac_energy_pj == Ends(dense=None, compressed=None)
    assert report.layers == report.accuracy == ()
    assert report.memory.formats == {}
    assert (report.traffic, report.measured_latency) == (None, None)
