"""`disparsity data`: scenes to disk."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "data",
        help="write scenes to disk",
        description="synthesize: write the samples of a URI in the layout of SceneFlow or KITTI 2015.",
        epilog="example: disparsity data synthesize 'synthetic:?pairs=100&seed=3' --out scenes --layout kitti2015",
    )
    command.add_argument("action", choices=["synthesize"])
    command.add_argument("uri", metavar="URI", help="see: disparsity list data")
    command.add_argument("--out", type=Path, required=True, metavar="PATH", help="a folder that does not exist yet")
    command.add_argument(
        "--layout", default="sceneflow", choices=["sceneflow", "kitti2015"], help="default %(default)s"
    )
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity.datasets.export import EXPORTERS  # noqa: PLC0415 - torch is slow to import
    from disparsity.datasets.uri import open_data  # noqa: PLC0415

    EXPORTERS[arguments.layout](open_data(arguments.uri), arguments.out)
    print(arguments.out)
    return 0
