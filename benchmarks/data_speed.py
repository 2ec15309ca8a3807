"""How fast data comes: PNG and PFM against a packed file, training's share of waiting, and listing 100,000 pairs.

python benchmarks/data_speed.py --data ../shared/data/flyingthings3d --recipe recipes/reference_dense.toml --scratch DIR
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from provenance import provenance

from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches import stream as stream_module
from disparsity.datasets.batches.prefetch import BatchSource, Prefetcher
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.objective import Objective
from disparsity.finetune.training import Trainer
from disparsity.recipe.recipe import load_recipe
from disparsity.run.context import open_stream

RESULT = Path(__file__).parent / "results" / "data_speed.md"
CACHE_BYTES = stream_module._CACHE_BYTES
WINDOW, BATCH, STEPS, TRAIN_STEPS, PAIRS = (256, 512), 4, 6, 12, 100_000


def rate(uri: str, workers: int) -> float:
    """Samples per second in batches of random crops, each decoded anew."""
    plain = TrainingStream([open_data(uri)], [1.0], BATCH, WINDOW, 0)
    stream: BatchSource = Prefetcher(plain, workers) if workers else plain
    for step in range(3):
        stream.next_batch(step)
    started = time.perf_counter()
    for step in range(3, 3 + STEPS):
        stream.next_batch(step)
    return STEPS * BATCH / (time.perf_counter() - started)


def speed_rows(folder: Path, packed: Path) -> list[str]:
    """Table of rates; the faster of two rounds, as the machine is shared."""
    stream_module._CACHE_BYTES = 0
    rows = ["| workers | PNG and PFM, pairs/s | packed, pairs/s | ratio |", "|--:|--:|--:|--:|"]
    for workers in (0, 2):
        rates = [max(rate(uri, workers) for _ in range(2)) for uri in (f"sceneflow:{folder}", f"packed:{packed}")]
        rows.append(f"| {workers} | {rates[0]:.1f} | {rates[1]:.1f} | {rates[1] / rates[0]:.1f} |")
    return rows


def waiting_row(recipe_path: str, workers: int) -> str:
    """Share of a training's wall time spent in `next_batch`."""
    recipe = load_recipe(Path(recipe_path))
    assert recipe.train is not None
    stream = open_stream(replace(recipe.data, workers=workers), recipe.seed)
    waited = 0.0

    def timed(step: int) -> Batch:
        nonlocal waited
        started = time.perf_counter()
        batch = stream.next_batch(step)
        waited += time.perf_counter() - started
        return batch

    network = use_channels_last(open_network(recipe.network.checkpoint, recipe.network.name, recipe.seed))
    settings = replace(recipe.train, steps=TRAIN_STEPS, precision="auto")  # what is fastest waits most
    trainer = Trainer(network, timed, Objective(settings=settings, teacher=None))
    started = time.perf_counter()
    trainer.run("train")
    total = time.perf_counter() - started
    return f"| {recipe_path} | {workers} | {total / TRAIN_STEPS * 1e3:.0f} | {100 * waited / total:.1f} |"


def make_tree(root: Path) -> None:
    """An empty file for every image and map of 100,000 KITTI pairs, unless it is there."""
    if (root / "training").is_dir():
        return
    for view in ("image_2", "image_3", "disp_occ_0"):
        folder = root / "training" / view
        folder.mkdir(parents=True)
        for frame in range(PAIRS):
            (folder / f"{frame:06d}_10.png").touch()


def list_tree(root: Path) -> None:
    """Print seconds, CPU seconds and memory of listing; run in a process of its own."""

    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    before, wall, cpu = resident_mb(), time.perf_counter(), time.process_time()
    data = open_data(f"kitti2015:{root}")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {len(data)} | {wall:.1f} | {cpu:.1f} | {resident_mb() - before:.0f} | {before:.0f} |")


def main(arguments: argparse.Namespace) -> None:
    """Measure and write the result file."""
    torch.set_num_threads(1)
    if arguments.list_tree:
        list_tree(arguments.list_tree)
        return
    packed = arguments.scratch / "things.h5"
    facts = pack(open_data(f"sceneflow:{arguments.data}"), packed)
    make_tree(arguments.scratch / "tree")
    print("packed", facts, file=sys.stderr)
    command = [sys.executable, __file__, "--list-tree", str(arguments.scratch / "tree")]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    print(listing, file=sys.stderr)
    speed = speed_rows(arguments.data, packed)
    print(*speed, sep="\n", file=sys.stderr)
    stream_module._CACHE_BYTES = CACHE_BYTES
    waiting = [waiting_row(arguments.recipe, workers) for workers in (0, 2)]
    print(*waiting, sep="\n", file=sys.stderr)
    sections = [
        [
            "# Speed of data",
            "",
            f"Random {WINDOW[0]}x{WINDOW[1]} crops of 540x960 pairs in batches of {BATCH}, each pair",
        ],
        [f"decoded anew ({facts['samples']} pairs, {facts['bytes']} bytes packed), the better of two rounds.", ""],
        speed,
        ["", f"Training, {TRAIN_STEPS} steps from the start, nothing drawn before, one thread, precision `auto`:", ""],
        ["| recipe | workers | ms per step | waiting for data, % |", "|---|--:|--:|--:|", *waiting],
        ["", "Opening 100,000 KITTI pairs (an empty tree of names) in a fresh process:", ""],
        [
            "| pairs | wall s | CPU s | grown, MB | process before, MB (torch) |",
            "|--:|--:|--:|--:|--:|",
            listing,
        ],
        ["", *provenance(" ".join(["python", "benchmarks/data_speed.py", "--recipe", arguments.recipe]))],
        [f"Load average {Path('/proc/loadavg').read_text().split()[0]} when it ended."],
    ]
    lines = [line for section in sections for line in section]
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/flyingthings3d"))
    parser.add_argument("--recipe", default="recipes/reference_dense.toml")
    parser.add_argument("--scratch", type=Path, default=Path("build/data_speed"))
    parser.add_argument("--list-tree", type=Path)
    main(parser.parse_args())
