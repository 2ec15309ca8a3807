"""`disparsity evaluate`: the disparity error of a checkpoint on data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_json
from disparsity.cli.outputs import check_file
from disparsity.cli.runtime import add_runtime


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "evaluate",
        help="measure the disparity error of a checkpoint",
        description="EPE, bad-1/2/3, D1 and density over valid pixels, pooled and per image.",
        epilog="example: disparsity evaluate builtin:reference --data 'synthetic:?pairs=50&seed=7'",
    )
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="ours, a published file, builtin:NAME, or an export")
    command.add_argument("--data", required=True, metavar="URI", help="see: disparsity list data")
    command.add_argument("--network", metavar="NAME", help="of a published file; see: disparsity list networks")
    command.add_argument("--split", type=Path, metavar="FILE", help="evaluate only the ids in this file")
    command.add_argument(
        "--mask",
        type=float,
        default=0.0,
        metavar="PX",
        help="leave out ground truth of PX or more (default: score every known pixel, as a run does)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    add_runtime(command)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    from disparsity import evaluate  # noqa: PLC0415 - torch is slow to import

    row = evaluate(
        arguments.checkpoint,
        arguments.data,
        network=arguments.network,
        split=arguments.split,
        mask=arguments.mask,
        runtime=arguments.runtime,
        device=arguments.device,
    )
    if arguments.json:
        write_json(arguments.json, row)
    print(_table(row))
    return 0


def _table(row: dict[str, Any]) -> str:
    def figure(name: str, unit: str) -> str:
        pooled, mean = row[name], row[f"per_image_{name}"]
        return "not known" if pooled is None else f"{pooled:10.4f} {unit:<3} {mean:12.4f} {unit}"

    lines = [
        f"data    {row['data']}",
        f"pixels  {row['pixels']} in {row['images']} images ({row['mask']})",
        f"{'':8}{'pooled':>10} {'per image':>16}",
        f"EPE     {figure('epe_px', 'px')}",
        f"bad-1   {figure('bad1_percent', '%')}",
        f"bad-2   {figure('bad2_percent', '%')}",
        f"bad-3   {figure('bad3_percent', '%')}",
        f"D1      {figure('d1_percent', '%')}",
        f"density {figure('density_percent', '%')}",
    ]
    return "\n".join(lines)
