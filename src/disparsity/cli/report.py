"""`disparsity report`: the report of a run, again from what its folder holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "report",
        help="rebuild a run's report",
        description="Write report.json, layers.csv, report.md, report.html and the figures again from what RUN holds.",
        epilog="example: disparsity report runs/demo",
    )
    command.add_argument("folder", type=Path, metavar="RUN")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity.hwcost.reports.text import summary_table  # noqa: PLC0415 - torch is slow to import
    from disparsity.reporting import build_report  # noqa: PLC0415
    from disparsity.runs import stored_recipe  # noqa: PLC0415

    print(summary_table(build_report(arguments.folder, stored_recipe(arguments.folder))))
    print(f"report: {arguments.folder / 'report' / 'report.html'}")
    return 0
