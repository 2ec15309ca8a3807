"""What scores, scopes, schedules, modes and teachers are worth: the reference network on synthetic scenes.

    python benchmarks/stage_one.py run [--only group=final sparsity=0.97] [--part I/N]     resumes
    python benchmarks/stage_one.py table

Every run prunes the trained reference network and fine-tunes it for the same number of steps; all are scored on the
same unseen scenes. The control `dense_equal_bytes` is a network trained from nothing for many more steps, whose float32
weights take as many bytes as the packed file (positions and float32 values) of the default at that sparsity and seed.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.benchmark import RESULTS, Benchmark, main
from harness.figures import lines
from harness.rows import Case, Row, of, read_rows, rows_path
from harness.tables import NOT_RUN, Table, pivot
from matplotlib.figure import Figure
from stage_one_cases import CONTROL, FINALISTS, SPARSITIES, cases, changes_of

import disparsity
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint
from disparsity.recipe.recipe import load_recipe
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

RECIPE = Path(__file__).parent / "recipes/stage_one.toml"
CONTROL_TRAINING = ("train.steps=1500", "train.learning_rate=2e-3", "train.warmup=100")


def measure(case: Case) -> dict[str, Any]:
    """Error, bytes of the packed file, and MACs of the pruned layers that are left."""
    with tempfile.TemporaryDirectory() as folder:
        if case["variant"] == CONTROL:
            return _control(case, Path(folder))
        disparsity.run(load_recipe(RECIPE, changes_of(case)), Path(folder) / "run")
        report = json.loads((Path(folder) / "run/report/report.json").read_text(encoding="utf-8"))
    row = next(row for row in report["accuracy"] if row["stage"] == "pruned")
    layers = [layer for layer in report["layers"] if layer["nnz"] < layer["weight_count"]]
    effectual, dense = (sum(layer[f"{kind}_macs"] for layer in layers) for kind in ("effectual", "dense"))
    return {
        "epe_px": row["epe_px"],
        "d1_percent": row["d1_percent"],
        "bytes": report["memory"]["packed_file_bytes"],
        "macs_percent": 100 * effectual / dense,
        "seconds": sum(report["settings"]["seconds"].values()),
    }


def _control(case: Case, folder: Path) -> dict[str, Any]:
    """A dense network whose float32 weights take the default's bytes, trained from nothing."""
    default = of(read_rows(rows_path(RESULTS, "stage_one")), **{**case, "variant": "default"})
    if not default:
        raise SystemExit(f"{case}: the default at this sparsity and seed comes first; run the same command again")
    network = _closest(default[0]["found"]["bytes"])
    save_checkpoint(folder / "start/checkpoint.json", network_checkpoint(network, {}))
    recipe = load_recipe(RECIPE, [*changes_of(case), *CONTROL_TRAINING])
    run = disparsity.run(recipe, folder / "run", stage="train", start=folder / "start")
    (row,) = run.stages[-1].accuracy
    return {"epe_px": row["epe_px"], "d1_percent": row["d1_percent"], "bytes": _bytes(network)}


def _closest(target: int) -> StereoNetwork:
    """The network whose float32 parameters come closest to `target` bytes; its refinement is a third as wide."""
    sizes = [{"width": width, "refinement_width": max(2, width // 3)} for width in range(3, 48)]
    return min((build_network("reference", **size) for size in sizes), key=lambda found: abs(_bytes(found) - target))


def _bytes(network: StereoNetwork) -> int:
    return 4 * sum(parameter.numel() for parameter in network.parameters())


def tables(rows: list[Row]) -> Iterator[Table]:
    """Finalists, the default's lead by runs of the same seed, and the screening."""
    finals = of(rows, group="final")
    yield pivot("finalists", finals, ("variant",), "sparsity", "epe_px")
    yield pivot("packed bytes", of(finals, variant="default"), ("variant",), "sparsity", "bytes", 0)
    others = [name for name in (*FINALISTS, CONTROL) if name != "default"]
    leads = [(name, *(_lead(finals, name, sparsity) for sparsity in SPARSITIES)) for name in others]
    yield Table("lead of the default, px", ("than", *(f"{100 * s:g} %" for s in SPARSITIES)), leads)
    screened = [row for row in rows if row["case"]["group"] != "final"]
    yield pivot("screening", screened, ("group", "variant"), "sparsity", "epe_px")
    yield pivot("screening, MACs", screened, ("group", "variant"), "sparsity", "macs_percent")


def _lead(finals: list[Row], other: str, sparsity: float) -> str:
    """Mean difference to the default over the seeds, and in how many of them the default is better."""
    ours, theirs = (
        {row["case"]["seed"]: row["found"]["epe_px"] for row in of(finals, variant=name, sparsity=sparsity)}
        for name in ("default", other)
    )
    leads = [theirs[seed] - ours[seed] for seed in sorted(ours.keys() & theirs.keys())]
    if not leads:
        return NOT_RUN
    return f"{statistics.mean(leads):+.3f} ({sum(lead > 0 for lead in leads)} of {len(leads)})"


def figure(rows: list[Row]) -> Figure:
    return lines(of(rows, group="final"), "sparsity", "epe_px", "variant")


BENCHMARK = Benchmark(
    name="stage_one",
    question="What scores, scopes, schedules, modes and teachers are worth",
    cases=cases,
    measure=measure,
    tables=tables,
    figure=figure,
)

if __name__ == "__main__":
    main(BENCHMARK)
