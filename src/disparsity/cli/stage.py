"""`disparsity train`, `prune`, `finetune` and `quantize`: one stage of a recipe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.recipe.stages import STAGES
from disparsity.registries import recipe_path


def add_to(commands: Any) -> None:
    """Add the four commands."""
    for stage in [stage for stage in STAGES.values() if stage.help]:
        command = commands.add_parser(
            stage.name,
            help=stage.help,
            description=f"One stage: {stage.help}.",
            epilog=f"example: disparsity {stage.name} recipes/demo.toml --out runs/{stage.name}",
        )
        command.add_argument("recipe", type=Path, metavar="RECIPE.toml")
        command.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
        command.add_argument(
            "--from", dest="start", metavar="CHECKPOINT", help="start here, not at the recipe's network"
        )
        command.add_argument("--set", action="append", default=[], metavar="a.b=value", help="change one setting")
        command.set_defaults(run=_run, stage=stage.name)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity import pipeline  # noqa: PLC0415 - torch is slow to import
    from disparsity.base import distributed  # noqa: PLC0415 - torch is slow to import
    from disparsity.base.launch import process_group  # noqa: PLC0415
    from disparsity.recipe.recipe import load_recipe  # noqa: PLC0415

    recipe = load_recipe(recipe_path(arguments.recipe), arguments.set)
    with process_group(recipe.processes, arguments.command_line, recipe.device):
        folder = pipeline.run_single(recipe, arguments.out, arguments.stage, arguments.start)
        if distributed.is_first():
            print(folder)
    return 0
