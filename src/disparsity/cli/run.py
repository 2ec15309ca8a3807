"""`disparsity run` and `disparsity demo`: the whole pipeline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.registries import recipe_path


def add_to(commands: Any) -> None:
    """Add both commands."""
    command = commands.add_parser(
        "run",
        help="prune, fine-tune, quantize, evaluate, cost and report",
        description="Run a recipe from end to end. After a stop, run the same command again to resume.",
        epilog="example: disparsity run demo --out runs/demo --set prune.sparsity=0.95",
    )
    command.add_argument("recipe", type=Path, metavar="RECIPE.toml", help="or a name; see: disparsity list recipes")
    command.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
    command.add_argument("--set", action="append", default=[], metavar="a.b=value", help="change one setting")
    command.set_defaults(run=_run)
    demo = commands.add_parser(
        "demo",
        help="the whole pipeline on the built-in reference network and synthetic scenes",
        description="Compress the built-in reference network on synthetic scenes: about 6 minutes on two AVX2 cores.",
        epilog="example: disparsity demo --out runs/demo",
    )
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="RUN", help="default: %(default)s")
    demo.set_defaults(run=_run, recipe=Path("demo"), set=[])


def _run(arguments: argparse.Namespace) -> int:
    from disparsity import pipeline  # noqa: PLC0415 - torch is slow to import
    from disparsity.base.launch import process_group  # noqa: PLC0415
    from disparsity.recipe.recipe import load_recipe  # noqa: PLC0415
    from disparsity.report.terminal import summary_table  # noqa: PLC0415

    recipe = load_recipe(recipe_path(arguments.recipe), arguments.set)
    with process_group(recipe.processes, arguments.command_line, recipe.device):
        result = pipeline.run(recipe, arguments.out)
        if result is not None:
            print(summary_table(result))
            print(f"report: {arguments.out / 'report' / 'report.html'}")
    return 0
