"""What quantizers, widths, orders and the published methods are worth, with and without pruning.

    python benchmarks/stage_two.py run --out DIR [--group NAME ...]  every case that has no result yet
    python benchmarks/stage_two.py cost --out DIR                    a fake-quantized training step against a plain one
    python benchmarks/stage_two.py table --out DIR                   writes results/stage_two.{csv,md,png,svg}

`DISPARSITY_DATA` names the folder of the published checkpoints and their pairs (group `published`). Everything runs on
one thread, and resumes: one JSON file a case.
"""

from __future__ import annotations

import argparse
import functools
import shutil
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from quantizing import cases
from quantizing.cases import Case
from quantizing.cost import measure as measure_cost
from quantizing.measure import measured
from quantizing.published import published
from quantizing.tables import write_results

from disparsity.base.atomic_io import write_json

GROUPS: dict[str, Callable[[], Iterable[Case]]] = {
    "float": cases.in_float,
    "nearest": functools.partial(cases.post_training, "nearest"),
    "published": published,
    "tuned": cases.tuned,
    "finalists": cases.finalists,
    "transform": cases.transforms,
    "reconstruct": functools.partial(cases.post_training, "reconstruct"),
    "inputs": cases.wide_inputs,
    "ternary": cases.ternaries,
    "drift": cases.drift,
    "teacher": cases.teachers,
    "order": cases.orders,
}
"""In the order in which they are run."""


def run(groups: Sequence[str], patterns: Sequence[str], out: Path) -> None:
    """All cases of the groups that have no result yet, those of the first pattern of names first."""
    known = [case for group in groups for case in GROUPS[group]()]
    for case in (case for pattern in patterns for case in known if fnmatchcase(case.name, pattern)):
        result = out / f"{case.name}.json"
        if result.is_file():
            continue
        facts = {"group": case.group, "start": case.start, "variant": case.variant, "bits": case.bits}
        row = measured(case, out)
        write_json(result, {**facts, "seed": case.recipe.seed, **row})
        shutil.rmtree(out / case.name, ignore_errors=True)
        print(case.name, f"{row['epe_px']:.3f} px, {row['processor_s']:.0f} s", flush=True)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "cost", "table"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--group", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--case", nargs="+", default=["*"], help="only these, first ones first, e.g. tuned-pruned-lsq*")
    parser.add_argument("--rounds", type=int, default=12, help="of training steps")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.action == "table":
        write_results(arguments.out)
    elif arguments.action == "cost":
        write_json(arguments.out / "cost" / "steps.json", measure_cost(arguments.rounds))
    else:
        run(arguments.group, arguments.case, arguments.out)


if __name__ == "__main__":
    main()
