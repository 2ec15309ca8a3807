"""How time and memory grow: scoring, masking, packing and cost with weights, listing, drawing and caching with samples.

    python benchmarks/growth.py                    writes results/growth.md, .csv and .png
    python benchmarks/growth.py --most 1e6         smaller, into --out FOLDER

One thread, every point in a process of its own. Points that have been measured are kept in OUT/points.jsonl; the same
command goes on behind them. A point that would take more than --seconds of processor time, ten times the last one's, is
left out.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from growing import samples, weights
from growing.fit import exponent
from hardware.markdown import table
from provenance import provenance

from disparsity.base.atomic_io import write_text

RESULTS = Path(__file__).parent / "results"
WORDS = {
    "scoring": ("weights", "taking a step's gradients into running Taylor scores"),
    "masking": ("weights", "a pruning event to 97 %: global selection, masks, zeroing"),
    "packing": ("weights", "`compressed.h5` of a network at 97 % zeros and 4 bits"),
    "cost": ("weights", "`disparsity cost` of that network, packing included"),
    "listing": ("samples", "opening a KITTI tree of empty files"),
    "drawing": ("samples", f"{samples.DRAWS} batches of {samples.BATCH} from so many pairs"),
    "caching": ("samples", "every pair of 8x16 pixels once, into the cache"),
    "pass": ("samples", "every pair again, from the cache"),
}
SIZES = {"weights": (10**5, 10**6, 10**7, 10**8), "samples": (10**2, 10**3, 10**4, 10**5)}


def main() -> None:
    """Measure what is missing and write the page, or measure one point for the process that asked for it."""
    arguments = _arguments()
    torch.set_num_threads(1)
    if arguments.part:
        kind, size = arguments.part.split(":")
        of = weights if WORDS[kind][0] == "weights" else samples
        print(json.dumps(of.measure(kind, int(size))))
        return
    arguments.store.mkdir(parents=True, exist_ok=True)
    points = _points(arguments, arguments.store / "points.jsonl")
    _write(points, arguments.out, f"python benchmarks/growth.py --most {arguments.most:g}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=float, default=1e8, help="weights or samples")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--store", type=Path, default=Path("build/growth"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


def _points(arguments: argparse.Namespace, store: Path) -> dict[str, list[dict[str, Any]]]:
    """By kind, every point that was measured, the smallest first."""
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.is_file() else []
    known = {(row["kind"], row["wanted"]): row for row in rows}
    found: dict[str, list[dict[str, Any]]] = {}
    for kind, (axis, _) in WORDS.items():
        last = 0.0
        found[kind] = []
        for size in SIZES[axis]:
            new = (kind, size) not in known
            if size > arguments.most or (new and 10 * last > arguments.seconds):
                continue
            if new:
                known[kind, size] = {"kind": kind, "wanted": size} | _apart(kind, size)
                with store.open("a") as file:
                    file.write(json.dumps(known[kind, size]) + "\n")
            found[kind].append(known[kind, size])
            last = known[kind, size]["processor_s"]
    return found


def _apart(kind: str, size: int) -> dict[str, Any]:
    print(kind, size, file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--part", f"{kind}:{size}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _write(points: dict[str, list[dict[str, Any]]], out: Path, command: str) -> None:
    lines = [
        "# Growth with weights and with samples",
        "",
        "Processor seconds on one thread, and the most memory beside what the process held before. Exponents are "
        "slopes of straight lines through the logarithms of all points, and of the last two: 1 is linear.",
        "",
        *table(
            ("what", "of", "exponent of time", "of the last two", "exponent of memory"), map(_summary, points.items())
        ),
        "",
        "![growth](growth.png)",
        "",
        *table(
            ("what", "size", "processor s", "wall s", "memory, MB", "load"),
            [
                (
                    kind,
                    f"{row['size']:,}",
                    f"{row['processor_s']:.3g}",
                    f"{row['wall_s']:.3g}",
                    f"{row['memory_mb']:.1f}",
                    f"{row['load']:.1f}",
                )
                for kind, rows in points.items()
                for row in rows
            ],
        ),
        "",
        *provenance(command),
    ]
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "growth.md", "\n".join(lines) + "\n")
    write_text(out / "growth.csv", _csv(points))
    _draw(points, out / "growth.png")
    print("\n".join(lines))


def _summary(item: tuple[str, list[dict[str, Any]]]) -> tuple[str, ...]:
    kind, rows = item
    axis, words = WORDS[kind]
    sizes, seconds = [row["size"] for row in rows], [row["processor_s"] for row in rows]
    memory = exponent(sizes, [row["memory_mb"] for row in rows])
    return (
        f"{kind}: {words}",
        axis,
        _text(exponent(sizes, seconds)),
        _text(exponent(sizes[-2:], seconds[-2:])),
        _text(memory),
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _csv(points: dict[str, list[dict[str, Any]]]) -> str:
    text = io.StringIO()
    keys = ("kind", "size", "processor_s", "wall_s", "memory_mb", "load")
    writer = csv.DictWriter(text, keys, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for rows in points.values() for row in rows)
    return text.getvalue()


def _draw(points: dict[str, list[dict[str, Any]]], path: Path) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - slow to import, and points need none of it

    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for panel, axis in zip(panels, SIZES, strict=True):
        for kind in (kind for kind, (of, _) in WORDS.items() if of == axis):
            rows = points[kind]
            panel.loglog([r["size"] for r in rows], [r["processor_s"] for r in rows], "o-", label=kind)
        panel.set(xlabel=axis, ylabel="processor seconds")
        panel.grid(visible=True, alpha=0.3)
        panel.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
