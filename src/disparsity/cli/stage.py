"""`disparsity train`, `prune`, `finetune` and `quantize`: one stage of a recipe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disparsity.registries import recipe_path

_STAGES = {
    "train": ("train", "train a network with the recipe's [train] section"),
    "prune": ("prune", "stage one: remove weights with the recipe's [prune] section"),
    "finetune": ("finetune", "train on with the masks frozen, with the recipe's [finetune] section"),
    "quantize": ("quantize", "stage two: fold, quantize and calibrate with the recipe's [quantize] section"),
}


def add_to(commands: Any) -> None:
    """Add the four commands."""
    for name, (section, help_text) in _STAGES.items():
        command = commands.add_parser(
            name,
            help=help_text,
            description=f"One stage: {help_text}.",
            epilog=f"example: disparsity {name} recipes/demo.toml --out runs/{name}",
        )
        command.add_argument("recipe", type=Path, metavar="RECIPE.toml")
        command.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
        command.add_argument(
            "--from", dest="start", metavar="CHECKPOINT", help="start here, not at the recipe's network"
        )
        command.add_argument("--set", action="append", default=[], metavar="a.b=value", help="change one setting")
        command.set_defaults(run=_run, section=section)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity import pipeline  # noqa: PLC0415 - torch is slow to import
    from disparsity.base import distributed  # noqa: PLC0415 - torch is slow to import
    from disparsity.base.launch import joined  # noqa: PLC0415
    from disparsity.recipe.recipe import load_recipe  # noqa: PLC0415

    recipe = load_recipe(recipe_path(arguments.recipe), arguments.set)
    with joined(recipe.processes, arguments.command_line, recipe.device):
        folder = pipeline.run_single(recipe, arguments.out, arguments.section, arguments.start)
        if distributed.is_first():
            print(folder)
    return 0
