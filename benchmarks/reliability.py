"""Kills, mutated files, circles of stopping and going on, and what safety costs; each part resumes or is done at once.

python benchmarks/reliability.py kills --kills 150
python benchmarks/reliability.py fuzz --inputs 1000000 --minutes 20
python benchmarks/reliability.py cycles --cycles 200
python benchmarks/reliability.py overheads
python benchmarks/reliability.py lines
python benchmarks/reliability.py page
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from faults import cycles, fuzzing, kills, lines, overheads
from faults.page import page
from faults.targets import TARGETS
from faults.writers import WRITERS
from provenance import provenance

RESULT = Path(__file__).parent / "results" / "reliability.md"


def run_kills(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every writer, so many times."""
    folder = arguments.scratch / "kills"
    found = {}
    for name in WRITERS:
        found[name] = kills.kill_alone(name, arguments.kills, folder / name.replace(" ", "_"), arguments.seed)
        print(name, found[name], file=sys.stderr)
    return found


def run_fuzz(arguments: argparse.Namespace) -> dict[str, Any]:
    """Inputs until there are enough or the time is over; the same command goes on."""
    end = time.monotonic() + 60 * arguments.minutes
    state = arguments.out / "fuzz_state.json"
    return fuzzing.fuzz(arguments.inputs, arguments.scratch / "fuzz", state, lambda: time.monotonic() > end)


def run_cycles(arguments: argparse.Namespace) -> dict[str, Any]:
    """One run killed and resumed, and stops in one process."""
    folder = arguments.scratch / "cycles"
    killed = cycles.cycles(arguments.cycles, folder, arguments.seed, arguments.minutes)
    return {"killed": killed, "stopped": cycles.stops_in_one_process(max(10, arguments.cycles // 4), folder / "stops")}


def run_overheads(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Networks of three sizes, on the disk that holds the project, not in memory."""
    folder = arguments.out / "overheads"
    found = [overheads.overhead(name, folder) for name in overheads.NETWORKS]
    shutil.rmtree(folder)
    return found


def run_lines(arguments: argparse.Namespace) -> dict[str, Any]:
    """Lines that the first inputs of every target reach."""
    found = {}
    for name in TARGETS:
        try:
            found |= lines.coverage(name, lines.INPUTS, arguments.scratch / "lines")
        except Exception as error:
            raise RuntimeError(f"{name}: a fault that the part fuzz should have found") from error
    return found


PARTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "kills": run_kills,
    "fuzz": run_fuzz,
    "cycles": run_cycles,
    "overheads": run_overheads,
    "lines": run_lines,
}


def main(arguments: argparse.Namespace) -> None:
    """Run the parts that are asked for, keep what they found, and write the page from all that was kept if asked to."""
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.parts:
        if name == "page":
            continue
        started, processor = time.perf_counter(), time.process_time()
        found = PARTS[name](arguments)
        command = f"python benchmarks/reliability.py {' '.join(sys.argv[1:])}".replace(
            str(arguments.scratch), "SCRATCH"
        )
        facts = {
            "found": found,
            "seconds": round(time.perf_counter() - started, 1),
            "processor_seconds": round(time.process_time() - processor, 1),
            "provenance": provenance(command),
        }
        (arguments.out / f"{name}.json").write_text(json.dumps(facts, indent=1))
    if "page" not in arguments.parts:
        return
    kept = {name: arguments.out / f"{name}.json" for name in PARTS}
    RESULT.write_text(page({name: json.loads(path.read_text()) for name, path in kept.items() if path.is_file()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "page"])
    parser.add_argument("--kills", type=int, default=150, help="of every writer")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=20.0, help="at most, for each of the parts fuzz and cycles")
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scratch", type=Path, default=Path("/dev/shm/disparsity-faults"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "build" / "reliability")
    main(parser.parse_args())
