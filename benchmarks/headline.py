"""What sparsity and bits save together, with real masks: memory, MAC energy, MAC area and BOPs of two networks.

    DISPARSITY_DATA=... python benchmarks/headline.py run
    python benchmarks/headline.py table

Masks are global Taylor masks from a pass over real pairs, weights are really quantized and packed; nothing is trained,
so this is a table of costs and says nothing of errors.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from harness.benchmark import Benchmark, main
from harness.networks import pruned, rounded
from harness.rows import Case, Row
from harness.tables import Table, listing

from disparsity.checkpoint.packed import pack_network
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.hwcost.codec.packing import pack
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj
from disparsity.hwcost.models.operations import total_bops
from disparsity.hwcost.models.storage import dense_bytes, network_formats, network_storage
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.pruning.selection import Scores
from disparsity.quant.attach import layer_bits
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published

SIZE, CROP = (544, 960), (128, 256)
PERCENTS = (75.0, 90.0, 95.0, 97.0, 98.0, 99.0, 99.5)
WIDTHS = ((8, 8), (4, 8), (4, 4), (2, 4))
SCORE_BATCHES = 4
KEYS = ("network", "sparsity", "weight_bits", "activation_bits")
SAVED = ("memory", "values_alone", "best_format_memory", "mac_energy", "mac_area", "bops")
"""Percent saved; `memory` is the packed file with all indices, `values_alone` non-zero weights times their bits."""


def cases() -> Iterator[Case]:
    for network in ("stereonet", "psmnet_hourglass"):
        for percent in PERCENTS:
            for bits in WIDTHS:
                yield dict(zip(KEYS, (network, percent, *bits), strict=True))


def measure(case: Case) -> dict[str, Any]:
    network, scores, batch = _scored(case["network"])
    sparse = pruned(network, scores, case["sparsity"] / 100)
    widths = case["weight_bits"], case["activation_bits"]
    return _figures(_trace(network), rounded(sparse, widths, [(batch.left, batch.right)]))


@functools.cache
def _scored(name: str) -> tuple[StereoNetwork, Scores, Batch]:
    """StereoNet with its published weights, PSMNet with fresh ones; Taylor scores of real crops, and the first crop."""
    shared = Path(os.environ["DISPARSITY_DATA"])
    torch.manual_seed(0)
    network = (
        load_published(shared / "weights/stereonet/train_save_sceneflow.tar", name)
        if name == "stereonet"
        else build_network(name)
    ).eval()
    pairs = open_data(f"sceneflow:{shared / 'data/flyingthings3d'}?subset=train&pass=clean")
    stream = TrainingStream([pairs], (1.0,), 1, CROP, 0)
    batches = [stream.next_batch(index) for index in range(SCORE_BATCHES)]
    objective = Objective(settings=TrainSettings(steps=1, precision="float32"))
    layers = prunable_layers(network, network.spec.protected)
    scores = taylor_pass(network, layers, lambda index: objective(network, batches[index]), len(batches))
    return network, scores, batches[0]


def _trace(network: StereoNetwork) -> Workload:
    views = (torch.zeros(1, 3, *SIZE), torch.zeros(1, 3, *SIZE))
    return trace_workload(network, views, layer_bits(network), network.spec.training_only)


def _figures(dense: Workload, network: StereoNetwork) -> dict[str, Any]:
    profile, after, packed = load_profile("horowitz45"), _trace(network), pack_network(network)
    storage = network_storage(packed.layers)
    formats, stored, before = network_formats(storage.values()), len(pack(packed)), dense_bytes(dense)
    best = min(formats, key=lambda name: formats[name])
    area = [mac_area_um2(workload.calls, profile) or float("nan") for workload in (dense, after)]
    return {
        "memory": _saved(before, stored),
        "values_alone": _saved(before, sum(layer.values_bytes for layer in storage.values())),
        "best_format": best,
        "best_format_memory": _saved(before, formats[best]),
        "mac_energy": _saved(mac_energy_pj(dense.calls, profile), mac_energy_pj(after.calls, profile)),
        "mac_area": _saved(*area),
        "bops": _saved(total_bops(dense.calls)["mac_product"], total_bops(after.calls)["mac_product"]),
        "bound_bytes": sum(layer.entropy_bound_bytes for layer in storage.values()),
        "packed_bytes": stored,
    }


def _saved(before: float, after: float) -> float:
    return 100 * (1 - after / before)


def tables(rows: list[Row]) -> Iterator[Table]:
    """Every point, and the first sparsity at which 99 % of the memory and 99.9 % of the rest are saved."""
    yield listing("savings", rows, KEYS, (*SAVED, "best_format", "bound_bytes", "packed_bytes"))
    reached: dict[tuple[object, ...], dict[str, list[float]]] = {}
    for row in rows:
        case = row["case"]
        place = reached.setdefault((case["network"], case["weight_bits"], case["activation_bits"]), {})
        for figure in SAVED:
            if row["found"][figure] >= (99.0 if figure in SAVED[:3] else 99.9):
                place.setdefault(figure, []).append(case["sparsity"])
    lines = [(*key, *(min(found.get(figure, ["not reached"])) for figure in SAVED)) for key, found in reached.items()]
    yield Table("from which sparsity", ("network", "W", "A", *SAVED), lines)


BENCHMARK = Benchmark(
    name="headline",
    question="What sparsity and bits save together, with real masks",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
