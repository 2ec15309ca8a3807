"""`disparsity report`: the report of a run, again from what its folder holds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from disparsity.registries import ENTRIES


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "report",
        help="rebuild a run's report",
        description="Write report.json, layers.csv, report.md, report.html and the figures again from what RUN holds, "
        "and while the run is in progress: of the stages that have ended, or of the training alone before any has.",
        epilog="example: disparsity report runs/demo\nexample: disparsity report runs/demo --latency openvino",
    )
    command.add_argument("folder", type=Path, metavar="RUN")
    command.add_argument(
        "--latency",
        nargs="?",
        choices=list(ENTRIES["latency_runtimes"]),
        const="openvino",
        metavar="RUNTIME",
        help="measure wall-clock latency now: the dense network in torch, and the dense and the compressed ones in "
        f"{' or '.join(ENTRIES['latency_runtimes'])} (default: openvino); later reports keep it",
    )
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity.report.build import build_report, finished_stages  # noqa: PLC0415
    from disparsity.report.terminal import summary_table  # noqa: PLC0415 - torch is slow to import
    from disparsity.report.training_curves import write_curves  # noqa: PLC0415
    from disparsity.run.folder import stored_recipe  # noqa: PLC0415
    from disparsity.run.manifest import check_recipe  # noqa: PLC0415
    from disparsity.run.status import state_of  # noqa: PLC0415

    recipe = stored_recipe(arguments.folder)
    check_recipe(arguments.folder)
    if arguments.latency:
        recipe = replace(recipe, report=replace(recipe.report, runtime=arguments.latency))
    state, curves = state_of(arguments.folder), None
    if state and not finished_stages(arguments.folder):
        curves = write_curves(arguments.folder)
    if curves is None:
        print(summary_table(build_report(arguments.folder, recipe, measure_again=bool(arguments.latency))))
    print(f"report: {curves or arguments.folder / 'report' / 'report.html'}")
    if state:
        print(f"not finished: {state}")
    return 0
