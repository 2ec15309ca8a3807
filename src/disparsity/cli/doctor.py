"""`disparsity doctor`: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_json
from disparsity.cli.outputs import check_file

_IN_ORDER, _SOMETHING_TO_DO = 0, 2


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "doctor",
        help="versions, devices, data and links on this machine",
        description="Look at what disparsity needs and say what to do where something is missing; then exit with 2.",
        epilog="example: disparsity doctor --json doctor.json",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the findings as JSON too")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    from disparsity.base.doctor import examine  # noqa: PLC0415 - torch is slow to import

    findings = examine()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{finding.name:<{width}}  {finding.found}")
        if finding.remedy:
            print(f"{'':<{width}}  -> {finding.remedy}")
    if arguments.json:
        write_json(arguments.json, {"findings": [asdict(finding) for finding in findings]})
    return _SOMETHING_TO_DO if any(finding.remedy for finding in findings) else _IN_ORDER
