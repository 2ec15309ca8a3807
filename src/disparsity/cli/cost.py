"""`disparsity cost`: what a network costs in hardware."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.cli.outputs import check_file, check_folder
from disparsity.errors import InputError
from disparsity.files import write_json
from disparsity.recipe import parse_size


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "cost",
        help="what a network costs in hardware",
        description="Memory, operations, energy, area and cycles of a checkpoint, or of a network by name.",
        epilog="example: disparsity cost stereonet --size 544x960",
    )
    command.add_argument("network", metavar="CHECKPOINT|NETWORK")
    command.add_argument("--size", required=True, metavar="HxW", help="of the input, e.g. 544x960")
    command.add_argument("--network", dest="name", metavar="NAME", help="the network of a published file")
    command.add_argument("--profile", default="horowitz45", metavar="NAME", help="see: disparsity list profiles")
    command.add_argument("--array", default="16x16", metavar="RxC", help="systolic array, default %(default)s")
    command.add_argument("--dataflow", default="ws", choices=["os", "ws", "is"], help="default %(default)s")
    command.add_argument("--out", type=Path, metavar="DIR", help="write report.json, layers.csv and report.html here")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    check_folder(arguments.out)
    size, array = parse_size(arguments.size, "--size"), parse_size(arguments.array, "--array")
    from disparsity.costing import cost_report  # noqa: PLC0415 - torch is slow to import
    from disparsity.finetune.restore import open_network  # noqa: PLC0415
    from disparsity.hwcost.reports.text import summary_table  # noqa: PLC0415
    from disparsity.hwcost.reports.write import write_report  # noqa: PLC0415
    from disparsity.stereo.networks import build_network  # noqa: PLC0415
    from disparsity.stereo.networks.users import is_user_network  # noqa: PLC0415

    by_name = _is_name(arguments.network) or is_user_network(arguments.network)
    if by_name and arguments.name not in (None, arguments.network):
        raise InputError("--network is for published files", found=arguments.name, where=arguments.network)
    network = build_network(arguments.network).eval() if by_name else open_network(arguments.network, arguments.name)
    report = cost_report(network, size, arguments.profile, array, arguments.dataflow)
    if arguments.json:
        write_json(arguments.json, report)
    if arguments.out:
        write_report(arguments.out, report, [], [])
    print(summary_table(report))
    return 0


def _is_name(text: str) -> bool:
    """Whether a name of a network is meant, known or not, and no file, folder or `builtin:NAME`."""
    return not Path(text).exists() and not any(mark in text for mark in "/.:")
