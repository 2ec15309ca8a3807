"""`disparsity predict`: the disparity of one pair of images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.cli.outputs import check_folder
from disparsity.cli.runtime import add_runtime


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "predict",
        help="the disparity of one pair of images",
        description="Write disparity.pfm, disparity.png (16 bit, x256; 0 where it is not known or does not fit) and "
        "disparity_color.png.",
        epilog="example: disparsity predict builtin:reference left.png right.png --out out",
    )
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="ours, a published file, builtin:NAME, or an export")
    command.add_argument("left", type=Path, metavar="LEFT")
    command.add_argument("right", type=Path, metavar="RIGHT")
    command.add_argument("--out", type=Path, required=True, metavar="DIR")
    command.add_argument("--network", metavar="NAME", help="of a published file; see: disparsity list networks")
    command.add_argument(
        "--calib", type=Path, metavar="FILE", help="calibration of Middlebury or KITTI: writes points.ply"
    )
    add_runtime(command)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_folder(arguments.out)
    from disparsity import predict  # noqa: PLC0415 - torch is slow to import
    from disparsity.evaluation.prediction import written_files  # noqa: PLC0415

    predict(
        arguments.left,
        arguments.right,
        arguments.checkpoint,
        arguments.network,
        out=arguments.out,
        calib=arguments.calib,
        runtime=arguments.runtime,
        device=arguments.device,
    )
    for path in written_files(arguments.out, with_points=arguments.calib is not None):
        print(path)
    return 0
