"""`disparsity cost`: what a network costs in hardware."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_json, write_text
from disparsity.base.errors import InputError
from disparsity.cli.machine import add_machine_options, machine_settings
from disparsity.cli.outputs import check_file, check_folder


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "cost",
        help="what a network costs in hardware",
        description="Memory, operations, energy, area and cycles of a checkpoint, or of a network by name.",
        epilog="example: disparsity cost stereonet --size 544x960\n"
        "example: disparsity cost runs/demo/stages/04-finetune_quantized --size 96x192 --buffer 64KiB --out out\n"
        "example: disparsity cost --compare anynet stereonet --size 256x512 --array 32x32 --dataflow os",
    )
    command.add_argument("network", metavar="CHECKPOINT|NETWORK", nargs="?")
    command.add_argument(
        "--compare", nargs="+", metavar="CHECKPOINT|NETWORK", help="two or more side by side, instead of one report"
    )
    command.add_argument("--size", required=True, metavar="HxW", help="of the input, e.g. 544x960")
    command.add_argument("--network", dest="name", metavar="NAME", help="the network of a published file")
    add_machine_options(command)
    command.add_argument(
        "--data", metavar="URI", help="measure zeros and sums on real pairs; see: disparsity list data"
    )
    command.add_argument("--pairs", type=int, metavar="N", help="of --data, default 1")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="write report.json, layers.csv, report.md and report.html here"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    names = [*([arguments.network] if arguments.network else []), *(arguments.compare or [])]
    if not names:
        raise InputError("nothing to cost", expected="a checkpoint or a network's name, or --compare A B")
    if arguments.compare is None:
        return _report(arguments)
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError("a comparison takes different networks", found=", ".join(names), expected="two or more")
    if arguments.name or arguments.data or arguments.pairs is not None:
        raise InputError("--network, --data and --pairs are for one network", remedy="run cost without --compare")
    return _compare(arguments, names)


def _compare(arguments: argparse.Namespace, names: list[str]) -> int:
    check_file(arguments.json)
    check_folder(arguments.out)
    from disparsity.api.hardware import machine_of, opened_module  # noqa: PLC0415 - torch is slow to import
    from disparsity.cost import cost_comparison  # noqa: PLC0415
    from disparsity.recipe.size import parse_size  # noqa: PLC0415
    from disparsity.report.network_comparison import comparison_markdown  # noqa: PLC0415

    size, machine = parse_size(arguments.size, "--size"), machine_of(**machine_settings(arguments))
    networks = {name: opened_module(name, None, named=True) for name in names}
    found = cost_comparison(networks, size, machine)
    text = comparison_markdown(found)
    if arguments.json:
        write_json(arguments.json, asdict(found))
    if arguments.out:
        write_json(arguments.out / "comparison.json", asdict(found))
        write_text(arguments.out / "comparison.md", text + "\n")
    print(text)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    check_folder(arguments.out)
    from disparsity import cost  # noqa: PLC0415 - torch is slow to import

    report = cost(
        arguments.network,
        arguments.size,
        network=arguments.name,
        data=arguments.data,
        pairs=arguments.pairs,
        **machine_settings(arguments),
    )
    if arguments.json:
        write_json(arguments.json, dict(report))
    if arguments.out:
        report.write(arguments.out)
    print(report)
    return 0
