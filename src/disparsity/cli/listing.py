"""`disparsity list`: the names that recipes and commands accept."""

from __future__ import annotations

import argparse
from typing import Any

from disparsity.registries import KINDS, summaries

_WIDTH = 16


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "list",
        help="the names that recipes and commands accept",
        description="Print the known names of one kind, one per line, each with what it stands for.",
        epilog="example: disparsity list networks",
    )
    command.add_argument("kind", choices=KINDS)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    names = summaries(arguments.kind)
    width = max(_WIDTH, *map(len, names))
    for name, summary in names.items():
        print(f"{name:<{width}} {summary}".rstrip())
    return 0
