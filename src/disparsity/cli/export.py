"""`disparsity export`: a network in another format."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.cli.outputs import check_file, check_folder
from disparsity.registries import load, summaries


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "export",
        help="write a network in another format",
        description="Write a network to a file or a folder. An export is run once and compared before it is kept. "
        + " ".join(f"{name}: {summary}." for name, summary in summaries("formats").items()),
        epilog="example: disparsity export runs/demo/stages/04-finetune_quantized --format packed --out compressed.h5\n"
        "example: disparsity export builtin:reference --format onnx --size 96x192 --out network.onnx\n"
        "example: disparsity export runs/demo/stages/04-finetune_quantized --format rtl --size 32x64 --out handover",
    )
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="ours, a published file, or builtin:NAME")
    command.add_argument("--format", required=True, choices=list(summaries("formats")))
    command.add_argument("--out", type=Path, required=True, metavar="PATH")
    command.add_argument("--network", metavar="NAME", help="of a published file; see: disparsity list networks")
    command.add_argument("--size", metavar="HxW", help="of the input, for all formats but packed")
    command.add_argument("--data", metavar="URI", help="whose first pair rtl runs (default: a synthetic pair)")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity import export  # noqa: PLC0415 - torch is slow to import

    form = load("formats", arguments.format)
    check_folder(arguments.out) if form.is_folder else check_file(arguments.out)
    out = export(
        arguments.checkpoint,
        arguments.format,
        arguments.out,
        size=arguments.size,
        data=arguments.data,
        network=arguments.network,
    )
    print(f"{out} {_bytes_of(out)} bytes")
    if form.describe is not None:
        print(form.describe(out))
    return 0


def _bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())
