"""`disparsity import`: a packed file as a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.cli.outputs import check_folder


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "import",
        help="a packed file as a checkpoint",
        description="The inverse of `export --format packed`: effective weights come back bit-identical.",
        epilog="example: disparsity import compressed.h5 --out restored",
    )
    command.add_argument("packed", type=Path, metavar="PACKED")
    command.add_argument("--out", type=Path, required=True, metavar="CHECKPOINT", help="a folder for the checkpoint")
    command.add_argument("--network", metavar="MODULE:CALLABLE", help="of a file that holds a network of your own")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_folder(arguments.out)
    from disparsity.checkpoint.checkpoints import SIDE_FILE, save_checkpoint  # noqa: PLC0415 - torch is slow to import
    from disparsity.checkpoint.packed import read_network  # noqa: PLC0415
    from disparsity.checkpoint.restore import network_checkpoint  # noqa: PLC0415
    from disparsity.stereo.networks.users import remember_written  # noqa: PLC0415

    if arguments.network is not None:
        remember_written(arguments.network)
    side_file = arguments.out / SIDE_FILE
    save_checkpoint(side_file, network_checkpoint(read_network(arguments.packed), {"source": "packed"}))
    print(side_file)
    return 0
