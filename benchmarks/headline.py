"""What sparsity and bits save together, with real masks: memory, MAC energy, MAC area and BOPs of two networks.

Masks are global Taylor masks from a pass over real pairs, weights are really quantized and packed; nothing is trained,
so this is a table of costs and says nothing of errors.

    DISPARSITY_DATA=... python benchmarks/headline.py

Finished points are kept in results/headline.csv; the same command goes on.
"""

from __future__ import annotations

import copy
import csv
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from provenance import provenance

from disparsity.base.atomic_io import write_text
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
from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores import taylor_pass
from disparsity.pruning.selection import FloorSettings, Scores, select_global
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers, layer_bits
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import QuantSettings, uniform_bits
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published

RESULTS = Path(__file__).parent / "results"
SIZE, CROP = (544, 960), (128, 256)
PERCENTS = (75.0, 90.0, 95.0, 97.0, 98.0, 99.0, 99.5)
WIDTHS = ((8, 8), (4, 8), (4, 4), (2, 4))
SCORE_BATCHES = 4
LITERATURE = (99.0, 99.9)
"""Memory and hardware cost removed, in percent, as the literature's abstract puts it: "almost" and "up to"."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network at one sparsity and one pair of widths; every figure but the first four is percent saved.

    `memory` is the packed file, with all indices; `values_alone` counts non-zero weights times their bits.
    """

    network: str
    sparsity: float
    weight_bits: int
    activation_bits: int
    memory: float
    values_alone: float
    best_format: str
    best_format_memory: float
    mac_energy: float
    mac_area: float
    bops: float
    bound_bytes: float
    packed_bytes: int


COLUMNS = [field.name for field in fields(Point)]
HEADER = (
    "network",
    "sparsity %",
    "W",
    "A",
    "packed file %",
    "values alone, no index %",
    "best plain format",
    "it saves %",
    "MAC energy %",
    "MAC area %",
    "BOPs %",
    "order-0 bound B",
    "packed file B",
)


def main() -> None:
    torch.set_num_threads(1)
    rows = _stored()
    done = {
        (row["network"], float(row["sparsity"]), int(row["weight_bits"]), int(row["activation_bits"])) for row in rows
    }
    for name, network in _networks():
        wanted = [(percent, *widths) for percent in PERCENTS for widths in WIDTHS]
        missing = [point for point in wanted if (name, *point) not in done]
        for point in _points(name, network, missing) if missing else ():
            rows.append({column: str(value) for column, value in asdict(point).items()})
            _store(rows)
    _write_table(rows)


def _networks() -> Iterator[tuple[str, StereoNetwork]]:
    weights = Path(os.environ["DISPARSITY_DATA"]) / "weights/stereonet/train_save_sceneflow.tar"
    yield "stereonet", load_published(weights, "stereonet").eval()
    torch.manual_seed(0)
    yield "psmnet_hourglass", build_network("psmnet_hourglass").eval()


def _points(name: str, network: StereoNetwork, wanted: list[tuple[float, int, int]]) -> Iterator[Point]:
    data = Path(os.environ["DISPARSITY_DATA"]) / "data/flyingthings3d"
    stream = TrainingStream([open_data(f"sceneflow:{data}?subset=train&pass=clean")], (1.0,), 1, CROP, 0)
    batches = [stream.next_batch(index) for index in range(SCORE_BATCHES)]
    scores = _scores(network, batches)
    dense = _trace(network)
    for percent, weight_bits, activation_bits in wanted:
        compressed = _compressed(network, scores, percent, (weight_bits, activation_bits), batches[0])
        yield _point((name, percent, weight_bits, activation_bits), dense, compressed)


def _scores(network: StereoNetwork, batches: list[Batch]) -> Scores:
    layers = prunable_layers(network, network.spec.protected)
    objective = Objective(settings=TrainSettings(steps=1, precision="float32"))
    return taylor_pass(network, layers, lambda index: objective(network, batches[index]), len(batches))


def _compressed(
    network: StereoNetwork, scores: Scores, percent: float, widths: tuple[int, int], batch: Batch
) -> StereoNetwork:
    result, views = copy.deepcopy(network), (batch.left, batch.right)
    attach_masks(result, scores)
    set_masks(result, select_global(scores, 1 - percent / 100, FloorSettings()))
    zero_pruned(result)
    fold_batchnorm(result, views)
    settings, spec = QuantSettings(weight_bits=widths[0], activation_bits=widths[1]), network.spec
    bits = uniform_bits(result, settings, first=spec.first, protected=spec.protected, wide_inputs=spec.wide_inputs)
    attach_quantizers(result, {name: each for name, each in bits.items() if spec.compresses(name)})
    calibrate(result, [views])
    finalise(result)
    return result


def _trace(network: StereoNetwork) -> Workload:
    views = (torch.zeros(1, 3, *SIZE), torch.zeros(1, 3, *SIZE))
    return trace_workload(network, views, layer_bits(network), network.spec.training_only)


def _point(where: tuple[str, float, int, int], dense: Workload, network: StereoNetwork) -> Point:
    profile, after, packed = load_profile("horowitz45"), _trace(network), pack_network(network)
    storage = network_storage(packed.layers)
    formats, stored, before = network_formats(storage.values()), len(pack(packed)), dense_bytes(dense)
    best = min(formats, key=lambda name: formats[name])
    bound = sum(layer.entropy_bound_bytes for layer in storage.values())
    area = [mac_area_um2(workload.calls, profile) or float("nan") for workload in (dense, after)]
    return Point(
        **dict(zip(COLUMNS[:4], where, strict=True)),
        memory=_saved(before, stored),
        values_alone=_saved(before, sum(layer.values_bytes for layer in storage.values())),
        best_format=best,
        best_format_memory=_saved(before, formats[best]),
        mac_energy=_saved(mac_energy_pj(dense.calls, profile), mac_energy_pj(after.calls, profile)),
        mac_area=_saved(*area),
        bops=_saved(total_bops(dense.calls)["mac_product"], total_bops(after.calls)["mac_product"]),
        bound_bytes=bound,
        packed_bytes=stored,
    )


def _saved(before: float, after: float) -> float:
    return 100 * (1 - after / before)


def _stored() -> list[dict[str, str]]:
    path = RESULTS / "headline.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _store(rows: list[dict[str, str]]) -> None:
    with (RESULTS / "headline.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_table(rows: list[dict[str, str]]) -> None:
    lines = [_INTRODUCTION, _line(HEADER), _line(("---", *["--:"] * (len(HEADER) - 1)))]
    lines += [_line(_cells(row)) for row in rows]
    lines += [
        "",
        _margin(rows),
        "",
        *_reached(rows),
        "",
        *provenance("DISPARSITY_DATA=... python benchmarks/headline.py"),
        "",
    ]
    write_text(RESULTS / "headline.md", "\n".join(lines))


def _cells(row: dict[str, str]) -> list[str]:
    digits = dict.fromkeys(("memory", "values_alone", "best_format_memory"), 2) | {"bound_bytes": 0}
    digits |= dict.fromkeys(("mac_energy", "mac_area", "bops"), 3)
    return [f"{float(row[name]):.{digits[name]}f}" if name in digits else row[name] for name in COLUMNS]


def _margin(rows: list[dict[str, str]]) -> str:
    """How far the files are from 2 % plus 2 kB above the bound, at worst."""
    worst = max(rows, key=lambda row: float(row["packed_bytes"]) - 1.02 * float(row["bound_bytes"]))
    over = float(worst["packed_bytes"]) - 1.02 * float(worst["bound_bytes"])
    where = f"{worst['network']}, {worst['sparsity']} %, W{worst['weight_bits']}A{worst['activation_bits']}"
    return f"Largest distance above 1.02 times the bound: {over:,.0f} bytes ({where}); the limit is 2 kB."


def _reached(rows: list[dict[str, str]]) -> list[str]:
    """Where the literature's figures lie: the first sparsity at which each is reached, per network and widths."""
    lines = ["## Where the literature's figures lie", ""]
    marks = [("memory", LITERATURE[0], "with index"), ("values_alone", LITERATURE[0], "without index")]
    marks += [(name, LITERATURE[1], "") for name in ("mac_energy", "mac_area", "bops")]
    for network in dict.fromkeys(row["network"] for row in rows):
        for weight_bits, activation_bits in WIDTHS:
            chosen = [
                row
                for row in rows
                if (row["network"], row["weight_bits"], row["activation_bits"])
                == (network, str(weight_bits), str(activation_bits))
            ]
            texts = [_first(chosen, *mark) for mark in marks]
            lines.append(f"* {network}, W{weight_bits}A{activation_bits}: {'; '.join(texts)}")
    return lines


def _first(rows: list[dict[str, str]], name: str, mark: float, note: str) -> str:
    reached = [float(row["sparsity"]) for row in rows if float(row[name]) >= mark]
    what = f"{name.replace('_', ' ')}{f' ({note})' if note else ''} {mark:g} %"
    return f"{what} from {min(reached):g} % zeros" if reached else f"{what} not reached"


def _line(cells: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


_INTRODUCTION = f"""# What sparsity and bits save together

Percent saved against the dense float32 network. Masks: global scope, Taylor score of {SCORE_BATCHES} crops
({CROP[0]}x{CROP[1]}) of FlyingThings3D TRAIN pairs, BatchNorm in eval mode. `stereonet` has its published weights;
of `psmnet_hourglass` no published file was at hand, so that its weights are fresh ones and its masks those of an
untrained network. Nothing is fine-tuned: the table is about costs. First and last layers keep 8 bits; W and A are
the widths of all others. Input {SIZE[0]}x{SIZE[1]}, profile horowitz45. "Packed file" is everything that
`compressed.h5` stores (positions, codes, steps, biases, header) but the 447 bytes of HDF5; the bound is the order-0
entropy of values and positions alone, layer by layer.
"""


if __name__ == "__main__":
    main()
