"""The page of stage two: expectations, methods, tables, and everything as CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from hardware.markdown import table
from provenance import provenance

from disparsity.base.atomic_io import write_text
from quantizing.cases import (
    BITS,
    FROM_NEAREST,
    GENTLE,
    MOSTLY_FLOAT,
    ORDERS,
    SIGNS,
    SPARSITY,
    TEST,
    TRANSFORM_WIDTHS,
    TUNE,
    TUNED,
    WIDE,
    WIDTHS,
)
from quantizing.expectations import MOST_STEP, expectations
from quantizing.figure import draw
from quantizing.methods import methods
from quantizing.notes import A16, INTRODUCTION, NOT_RUN, WHY
from quantizing.published import REFINED
from quantizing.published import WIDTHS as PUBLISHED
from quantizing.rows import Row, Rows, loss_cell

RESULTS = Path(__file__).parents[1] / "results"
COMMAND = "DISPARSITY_DATA=... python benchmarks/stage_two.py run --out DIR; ... cost --out DIR; ... table --out DIR"
LEFT_OUT = "scene_epe_px"


def write_results(out: Path) -> None:
    """Collect the results below `out` into `results/stage_two.{csv,md,png,svg}`."""
    rows, steps = Rows.read(out), out / "cost" / "steps.json"
    cost = json.loads(steps.read_text()) if steps.is_file() else None
    with (RESULTS / "stage_two.csv").open("w", newline="") as file:
        names = [name for name in rows.found[0] if name != LEFT_OUT]
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.found)
    write_text(RESULTS / "stage_two.md", "\n".join([*page(rows, cost), *provenance(COMMAND)]) + "\n")
    for suffix in ("png", "svg"):
        draw(rows).savefig(RESULTS / f"stage_two.{suffix}", dpi=110)


def page(rows: Rows, cost: dict[str, Any] | None) -> list[str]:
    """Markdown without its provenance."""
    return [
        "# Stage two: quantizers, bits, orders and the published methods",
        "",
        INTRODUCTION.format(cases=len(rows.found), sparsity=100 * SPARSITY, test=TEST),
        "## What was expected",
        "",
        *table(("expectation", "verdict", "found"), expectations(rows, cost)),
        "",
        WHY,
        "## The published methods against their baselines",
        "",
        *table(("method", "its abstract, in our words", "found here", "so the claim is"), methods(rows)),
        "",
        *_rounded(rows),
        *_tuned(rows),
        *_orders(rows),
        *_transforms(rows),
        *_published(rows),
        *_cost(cost),
        "## What was not run",
        "",
        NOT_RUN,
    ]


def _rounded(rows: Rows) -> list[str]:
    lines = ["## After training: every quantizer and width, inputs at 8 bits", ""]
    for start in ("pruned", "dense"):
        reference = rows.in_float(start)
        lines += [f"{start}: {reference['epe_px']:.3f} px in float." if reference else f"{start}: not run.", ""]
        names = [f"{quantizer}, {way}" for quantizer in WIDTHS for way in ("nearest", "reconstruct")]
        cells = [
            [loss_cell(rows.get("post_training", start, name, b), reference) if _has(name, b) else "-" for b in BITS]
            for name in names
        ]
        header = ("quantizer, rounding", *(f"{bits} bits" for bits in BITS))
        wide = [loss_cell(rows.get("inputs", start, WIDE, b), reference) if b in (8, 4) else "-" for b in BITS]
        lines += [*table(header, [*((n, *row) for n, row in zip(names, cells, strict=True)), (WIDE, *wide)]), ""]
    return lines


def _has(name: str, bits: int) -> bool:
    return bits in WIDTHS[name.partition(",")[0]]


def _tuned(rows: Rows) -> list[str]:
    control, reference = rows.get("tuned", "pruned", "float", 32), rows.in_float("pruned")
    steps = TUNE[0].partition("=")[2]
    lines = [f"## After {steps} steps of quantization-aware training, from the pruned network", ""]
    shown: list[tuple[str, Row | None, Row | None]] = [("float, as many steps", control, None)]
    for quantizer, bits in TUNED:
        before = rows.get("post_training", "pruned", f"{quantizer}, reconstruct", bits)
        shown.append((f"{quantizer}, W{bits} A8", rows.get("tuned", "pruned", quantizer, bits), before))
    for quantizer, bits in FROM_NEAREST:
        before = rows.get("post_training", "pruned", f"{quantizer}, nearest", bits)
        name = f"{quantizer}, rounded to nearest"
        shown.append((f"{name}, W{bits} A8", rows.get("tuned", "pruned", name, bits), before))
    for name, bits in ((GENTLE, 4), (SIGNS, 2)):
        shown.append((f"{name}, W{bits} A8", rows.get("tuned", "pruned", name, bits), None))
    for teacher in ("in_network", "dense"):
        shown.append((f"lsq, W3 A8, {teacher} teacher", rows.get("teacher", "pruned", teacher, 3), None))
    header = ("network", "before these steps", "after them", "to as many float steps", "packed bytes")
    found = [
        (
            name,
            loss_cell(before, reference) if before else "-",
            loss_cell(row, reference),
            loss_cell(row, control),
            f"{row['bytes']:,}" if row else "-",
        )
        for name, row, before in shown
    ]
    return [*lines, *table(header, found), ""]


def _orders(rows: Rows) -> list[str]:
    reference = rows.in_float("dense")
    found = [(name, rows.get("order", "dense", name, 4)) for name in (*ORDERS, MOSTLY_FLOAT)]
    cells = [
        (
            name,
            loss_cell(row, reference),
            f"{row['bytes']:,}" if row else "-",
            f"{row['processor_s']:.0f}" if row else "-",
        )
        for name, row in found
    ]
    lines = ["## Orders: 90 % sparsity and W4 A8 in 180 steps, recipes `joint_*` with half as many steps", ""]
    lines += [*table(("order", "EPE (loss to dense)", "packed bytes", "processor s"), cells), ""]
    run = {name: row for name, row in found if row}
    return [*lines, _winner(run), ""] if len(run) == len(found) else lines


def _winner(run: dict[str, Row]) -> str:
    ways = {
        way: min((run[name] for name in run if name.startswith("prune_quantize") == stepwise), key=_epe)
        for way, stepwise in (("joint", False), ("stepwise", True))
    }
    facts = [f"{way} {row['epe_px']:.3f} px in {row['bytes']:,} bytes ({row['variant']})" for way, row in ways.items()]
    better = "beats" if _epe(ways["joint"]) < _epe(ways["stepwise"]) else "does not beat"
    return f"The best of each: {'; '.join(facts)}. At these bytes the best joint order {better} the best stepwise one."


def _epe(row: Row) -> float:
    return row["epe_px"]


def _transforms(rows: Rows) -> list[str]:
    lines = [
        "## Transform quantization: weights alone, first and last layers and all inputs in float, nothing trained",
        "",
    ]
    names = ("uniform", "transform", "transform, steps by output")
    cells = []
    for name in names:
        found = [rows.get("transform", "dense", name, bits) for bits in TRANSFORM_WIDTHS]
        cells.append((name, *(_transform_cell(row) for row in found)))
    header = ("weights", *(f"{bits} bits: change px², EPE px, packed kB" for bits in TRANSFORM_WIDTHS))
    return [*lines, *table(header, cells), ""]


def _transform_cell(row: Row | None) -> str:
    return f"{row['change_px2']:.3g}, {row['epe_px']:.3f}, {row['bytes'] / 1000:.1f}" if row else "not run"


def _published(rows: Rows) -> list[str]:
    lines = ["## The published checkpoints on real pairs, rounded, nothing trained", ""]
    header = ("network", "rounding", *(f"W{weights} A{inputs}" for weights, inputs in PUBLISHED))
    cells = []
    for start, what in (
        ("stereonet", "StereoNet, FlyingThings3D TEST (1 pair)"),
        ("anynet", "AnyNet, KITTI 2015 (2 frames)"),
    ):
        reference = rows.in_float(start)
        name = f"{what}, float {_both(reference)}"
        for way in ("nearest", "reconstruct"):
            found = [rows.get("published", start, f"A{inputs}, {way}", weights) for weights, inputs in PUBLISHED]
            cells.append((name, way, *(_published_cell(row, reference) for row in found)))
    refined = _published_cell(rows.get("published", "stereonet", REFINED, 8), rows.in_float("stereonet"))
    text = f"StereoNet W8 A8 with weights and inputs of the refinement at 16 bits, nearest: {refined}. {A16}"
    return [*lines, *table(header, cells), "", text, ""]


def _published_cell(row: Row | None, reference: Row | None) -> str:
    return f"{loss_cell(row, reference)}, D1 {row['d1_percent']:.2f} %" if row else "not run"


def _both(row: Row | None) -> str:
    return f"{row['epe_px']:.3f} px, D1 {row['d1_percent']:.2f} %" if row else "not run"


def _cost(cost: dict[str, Any] | None) -> list[str]:
    lines = ["## What a fake-quantized training step costs", ""]
    if cost is None:
        return [*lines, "Not run.", ""]
    cells = [
        (name, f"{1000 * row['seconds']:.0f}", f"{row['to_plain']:.3f}", f"{row['to_folded']:.3f}")
        for name, row in cost["rows"].items()
    ]
    lines += [
        f"Dense reference, float32, dense kernels, 4 crops 64x128, {cost['rounds']} rounds in turns in one process, "
        f"processor time of the thread; medians, and medians of the ratios within a round. Aim: {MOST_STEP:g}. Load "
        f"average {cost['load'][0]:.1f} before, {cost['load'][1]:.1f} after.",
        "",
    ]
    return [*lines, *table(("step", "ms", "to plain", "to plain with BatchNorm folded"), cells), ""]
