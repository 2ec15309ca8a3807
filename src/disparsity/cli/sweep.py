"""`disparsity sweep`: many runs of a recipe, and the Pareto front of error and cost."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from disparsity.base.errors import InputError
from disparsity.cli.outputs import check_folder
from disparsity.registries import recipe_path


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "sweep",
        help="the Pareto front of error and cost over settings of a recipe",
        description="Run a recipe again and again with other values of the settings that its [sweep] section names. "
        "Run the same command again to resume a stopped sweep, or to add a worker to one that is running, here or, "
        "with --storage, on any machine. After every run DIR/sweep.md, sweep.json and front.png are written again.",
        epilog="example: disparsity sweep recipes/sweep.toml --out runs/sweep --trials 20\n"
        "example: disparsity sweep recipes/sweep.toml --out runs/sweep --storage postgresql://HOST/disparsity",
    )
    command.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the sweep's folder")
    command.add_argument("--storage", metavar="URL", help="database of the sweep; default: study.db (SQLite) in DIR")
    command.add_argument("--trials", type=int, metavar="N", help="finished runs to end with; default: the recipe's")
    command.add_argument("--set", action="append", default=[], metavar="a.b=value", help="change one setting")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from disparsity.recipe.recipe import load_recipe, to_toml  # noqa: PLC0415 - torch is slow to import

    changes = [*arguments.set, *([f"sweep.trials={arguments.trials}"] if arguments.trials is not None else [])]
    recipe = load_recipe(recipe_path(arguments.recipe), changes)
    if recipe.sweep is None:
        raise InputError("the recipe has no section [sweep]", where=arguments.recipe)
    if recipe.processes > 1:
        remedy = "start the command once for every worker"
        raise InputError(
            "a sweep's runs have one process each", where="processes", found=recipe.processes, remedy=remedy
        )
    check_folder(arguments.out)
    from disparsity.pipeline import run  # noqa: PLC0415 - torch is slow to import
    from disparsity.report.schema import as_json  # noqa: PLC0415
    from disparsity.sweep.report import write_sweep  # noqa: PLC0415
    from disparsity.sweep.study import Study, default_storage  # noqa: PLC0415
    from disparsity.sweep.worker import plain, work  # noqa: PLC0415

    settings, single = recipe.sweep, plain(recipe)
    arguments.out.mkdir(parents=True, exist_ok=True)
    study = Study(arguments.storage or default_storage(arguments.out), settings, to_toml(single), recipe.seed)

    def report() -> str:
        text = write_sweep(arguments.out, settings, study.finished(), study.failed())
        print(text, file=sys.stderr, flush=True)
        return text

    def single_run(trial: Any, out: Path) -> dict[str, Any]:
        found = run(trial, out)
        assert found is not None  # one process each
        return as_json(found)

    work(single, settings, study, arguments.out, report, single_run)
    print(write_sweep(arguments.out, settings, study.finished(), study.failed()))
    return 0
