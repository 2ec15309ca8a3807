"""What stage one costs in time and memory: a training step, a pruning event on 10^8 weights, an exact threshold.

    python benchmarks/stage_one_cost.py            writes results/stage_one_cost.md; eight minutes, 8 GB of memory

Everything runs on one thread. What needs its own peak memory runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from cost import events, steps, thresholds
from cost.page import page
from provenance import provenance

from disparsity.base.atomic_io import write_text

RESULT = Path(__file__).parent / "results" / "stage_one_cost.md"


def main() -> None:
    """Measure and write the page, or do one part for the process that asked for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="of training steps")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.part:
        print(json.dumps(part(arguments.part)))
        return
    large = [apart("event"), apart("event-quiet")]
    ways = {way: apart(f"threshold-{way}") for way in thresholds.WAYS}
    lines = page(steps.measure(arguments.rounds), large, ways)
    command = f"python benchmarks/stage_one_cost.py --rounds {arguments.rounds}"
    write_text(RESULT, "\n".join([*lines, "", *provenance(command)]) + "\n")
    print("\n".join(lines))


def part(name: str) -> dict[str, Any]:
    """One measurement, here."""
    kind, _, way = name.partition("-")
    return events.measure(way == "quiet") if kind == "event" else thresholds.measure(way)


def apart(name: str) -> dict[str, Any]:
    """The same in a fresh process."""
    print(name, file=sys.stderr)
    command = [sys.executable, __file__, "--part", name]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
