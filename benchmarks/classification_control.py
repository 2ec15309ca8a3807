"""Scores side by side on classification, through the same stage one: ResNet-20 on scikit-learn's digits, or CIFAR-10.

    python benchmarks/classification_control.py run --out DIR [--part I/N]    resumable; parts may run at the same time
    python benchmarks/classification_control.py table --out DIR     writes results/classification_control.{md,csv,png}

For CIFAR-10, whose files a user must have (cifar-10-binary.tar.gz, unpacked to FOLDER), add to both
`--recipe benchmarks/classification/cifar10.toml`, to `run` also `--data FOLDER`, and to `table` `--results FOLDER`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from classification.control import cases, compressed, trained
from classification.data import open_images
from classification.page import write_results
from classification.recipe import ControlRecipe, claim_folder, read_recipe
from provenance import provenance

from disparsity.base.atomic_io import write_json
from disparsity.base.errors import DisparsityError

RESULTS = Path(__file__).parent / "results"


def run(recipe: ControlRecipe, folder: Path | None, out: Path, part: int, parts: int) -> None:
    """All cases of one part that have no result yet."""
    data = open_images(recipe.data, folder)
    claim_folder(out, recipe)
    for index, case in enumerate(cases(recipe)):
        result = out / f"{case.name}.json"
        if index % parts != part or result.is_file():
            continue
        row = compressed(recipe, data, case, trained(recipe, data, case.seed, out))
        write_json(result, row)
        print(row, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--out", type=Path, required=True, help="one result per run, and the dense networks")
    parser.add_argument("--part", default="0/1", help="which share of the cases, e.g. 0/2")
    parser.add_argument("--recipe", type=Path, help="TOML; without one the digits")
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10's .bin files")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where `table` writes")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        recipe = read_recipe(arguments.recipe)
        if arguments.action == "table":
            named = f" --recipe {arguments.recipe}" if arguments.recipe else ""
            command = f"python benchmarks/classification_control.py run --out DIR{named}; ... table --out DIR{named}"
            print(write_results(recipe, arguments.out, arguments.results, provenance(command)))
        else:
            part, parts = map(int, arguments.part.split("/"))
            run(recipe, arguments.data, arguments.out, part, parts)
    except DisparsityError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
