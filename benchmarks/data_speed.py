"""How fast data comes: PNG and PFM against a packed file, and training's share of waiting.

    DISPARSITY_DATA=... python benchmarks/data_speed.py

Pairs of FlyingThings3D, 540x960, packed once in build/data_speed; batches of 4 random crops 256x512, each pair decoded
again. How long listing 100,000 pairs takes is measured by growth.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark, main
from harness.clock import load
from harness.rows import Case, Row, of
from harness.tables import Table, pivot

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

ROOT = Path(__file__).parents[1]
PACKED = ROOT / "build/data_speed/things.h5"
RECIPE = ROOT / "recipes/reference_dense.toml"
WINDOW, BATCH, STEPS, TRAIN_STEPS = (256, 512), 4, 6, 12


def cases() -> Iterator[Case]:
    for workers in (0, 2):
        yield from ({"part": "rate", "form": form, "workers": workers} for form in ("png and pfm", "packed"))
        yield {"part": "waiting", "workers": workers}


def measure(case: Case) -> dict[str, Any]:
    return _waiting(case["workers"]) if case["part"] == "waiting" else _rate(case["form"], case["workers"])


def _rate(form: str, workers: int) -> dict[str, Any]:
    """Pairs per second, the better of two rounds, as the machine is shared."""
    files = f"sceneflow:{os.environ['DISPARSITY_DATA']}/data/flyingthings3d"
    if not PACKED.is_file():
        PACKED.parent.mkdir(parents=True, exist_ok=True)
        pack(open_data(files), PACKED)
    stream_module._CACHE_BYTES = 0
    rates = []
    for _ in range(2):
        pairs = open_data(f"packed:{PACKED}" if form == "packed" else files)
        plain = TrainingStream([pairs], [1.0], BATCH, WINDOW, 0)
        stream: BatchSource = Prefetcher(plain, workers) if workers else plain
        for step in range(3):
            stream.next_batch(step)
        started = time.perf_counter()
        for step in range(3, 3 + STEPS):
            stream.next_batch(step)
        rates.append(STEPS * BATCH / (time.perf_counter() - started))
    return {"pairs_per_s": max(rates), "load": load()}


def _waiting(workers: int) -> dict[str, Any]:
    """Share of a training's wall time spent in `next_batch`, from the start, nothing rendered before."""
    recipe = load_recipe(RECIPE)
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
    started = time.perf_counter()
    Trainer(network, timed, Objective(settings=settings, teacher=None)).run("train")
    total = time.perf_counter() - started
    return {"step_ms": total / TRAIN_STEPS * 1e3, "waiting_percent": 100 * waited / total, "load": load()}


def tables(rows: list[Row]) -> Iterator[Table]:
    yield pivot("rate", of(rows, part="rate"), ("form",), "workers", "pairs_per_s", 1)
    yield pivot("waiting", of(rows, part="waiting"), ("part",), "workers", "waiting_percent", 1)


BENCHMARK = Benchmark(
    name="data_speed",
    question="How fast do data come",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
