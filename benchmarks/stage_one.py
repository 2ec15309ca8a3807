"""What scores, scopes, schedules, modes and teachers are worth: the reference network on synthetic scenes.

    python benchmarks/stage_one.py screen --out DIR [--part I/N]    every variant, one seed, two sparsities; resumable
    python benchmarks/stage_one.py finals --out DIR [--part I/N]    the finalists, three seeds, all sparsities
    python benchmarks/stage_one.py table --out DIR                  writes results/stage_one.{csv,md,png,svg}

Every run prunes the trained reference network and fine-tunes it for the same number of steps; all are scored on the
same unseen scenes. The control `dense_equal_bytes` is a StereoNet trained from nothing for many more steps, whose
float32 weights take as many bytes as the packed file (positions and float32 values) of the default at that sparsity and
seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from screening.cases import CONTROL, Case, finals, screening
from screening.measure import compress, train_control
from screening.tables import write_results

from disparsity.base.atomic_io import write_json


def run(cases: Iterable[Case], out: Path, part: int, parts: int) -> None:
    """All cases of one part that have no result yet."""
    for index, case in enumerate(cases):
        result = out / f"{case.name}.json"
        if index % parts != part or result.is_file():
            continue
        folder = out / case.name
        if case.variant == CONTROL:
            like = out / f"{Case(group='final', variant='default', sparsity=case.sparsity, seed=case.seed).name}.json"
            if not like.is_file():
                print(f"{case.name}: waits for {like.name}; run the same command again", flush=True)
                continue
            row = train_control(case, folder, json.loads(like.read_text())["bytes"])
        else:
            row = compress(case, folder)
        facts = {"group": case.group, "variant": case.variant, "sparsity": case.sparsity, "seed": case.seed}
        write_json(result, {**facts, **row})
        shutil.rmtree(folder)
        print(case.name, row, flush=True)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["screen", "finals", "table"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="0/1", help="which share of the cases, e.g. 0/2")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    part, parts = map(int, arguments.part.split("/"))
    if arguments.action == "table":
        write_results(arguments.out)
    else:
        run(screening() if arguments.action == "screen" else finals(), arguments.out, part, parts)


if __name__ == "__main__":
    main()
