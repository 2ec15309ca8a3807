"""Report as it is handed to a user: the fields of report.json, its summary as text, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from disparsity.registries import check_name
from disparsity.report import report as typed
from disparsity.report.figures.figures import FIGURES
from disparsity.report.schema import as_json
from disparsity.report.terminal import summary_table
from disparsity.report.write import write_report


class Report(Mapping[str, Any]):
    """The fields of report.json by name; printing it gives the terminal's summary."""

    def __init__(self, report: typed.Report) -> None:
        self._report = report
        self._fields = as_json(report)

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __str__(self) -> str:
        return summary_table(self._report)

    def figure(self, name: str) -> Figure | None:
        """One figure of the report page.

        Args:
            name: `sparsity_and_bits`, `memory_by_format`, `error_against_cost`, `energy_split`, `roofline` or
                `cycles_and_utilization`.

        Returns:
            a matplotlib figure; None where the report holds nothing to draw.

        Raises:
            InputError: there is no such figure.

        """
        check_name(name, FIGURES, "figures")
        return FIGURES[name](self._report)

    def write(self, out: str | Path) -> None:
        """Write report.json, layers.csv, report.md, report.html and the figures into the folder `out`."""
        write_report(Path(out), self._report, [], [])
