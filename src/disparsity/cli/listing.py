"""`disparsity list`: the names that recipes and commands accept."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

_KINDS = (
    "networks",
    "checkpoints",
    "scores",
    "scopes",
    "schedules",
    "patterns",
    "modes",
    "quantizers",
    "allocations",
    "teachers",
    "orders",
    "profiles",
    "data",
)

_WIDTH = 16


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "list",
        help="the names that recipes and commands accept",
        description="Print the known names of one kind, one per line.",
        epilog="example: disparsity list networks",
    )
    command.add_argument("kind", choices=_KINDS)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    for line in _lines(_names(arguments.kind)):
        print(line)
    return 0


def _names(kind: str) -> Mapping[str, object] | Iterable[str]:
    from disparsity.registries import CATALOGUE  # noqa: PLC0415 - torch is slow to import

    return CATALOGUE[kind]()


def _lines(names: Mapping[str, object] | Iterable[str]) -> list[str]:
    if not isinstance(names, Mapping):
        return list(names)
    width = max(_WIDTH, *map(len, names))
    return [f"{name:<{width}} {text}".rstrip() for name, text in ((n, _describe(v)) for n, v in names.items())]


def _describe(value: object) -> str:
    if isinstance(value, str):
        return value
    first = (value.__doc__ or "").strip().split("\n")[0] if callable(value) else ""
    return first
