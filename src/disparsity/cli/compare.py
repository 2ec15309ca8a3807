"""`disparsity compare`: runs and reports side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_json
from disparsity.cli.outputs import check_file, check_folder


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "compare",
        help="runs side by side",
        description="Accuracy, bytes, energy and cycles of finished runs side by side, and the settings that differ. "
        "A RUN may also be a folder or a file with a report.json, as cost --out writes it.",
        epilog="example: disparsity compare runs/demo runs/mine --out runs/compared",
    )
    command.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    command.add_argument("--out", type=Path, metavar="DIR", help="write comparison.json and comparison.md here")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the comparison as JSON")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    check_folder(arguments.out)
    from disparsity import compare  # noqa: PLC0415 - torch is slow to import

    found = compare(*arguments.runs, out=arguments.out)
    if arguments.json:
        write_json(arguments.json, found.as_json())
    print(found)
    return 0
