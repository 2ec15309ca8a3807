"""What was expected of stage two, and whether it was found."""

from __future__ import annotations

import itertools
import math
from typing import Any

from quantizing.cases import TRANSFORM_WIDTHS
from quantizing.cost import FOLDED, PLAIN, QUANTIZED
from quantizing.rows import Rows, loss, loss_cell, loss_percent

MOST_TUNED, MOST_ROUNDED, MOST_TERNARY, LEAST_BITS, MOST_STEP = 3.0, 1.0, 8.0, 1.0, 1.25
TERNARY = "ternary, rounded to nearest"
TRANSFORMS = ("transform", "transform, steps by output")


def expectations(rows: Rows, cost: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """Each expectation, its verdict and the figures."""
    found = [
        _tuned(rows, "lsq", 4, "W4 A8, fine-tuned", MOST_TUNED),
        *_rounded(rows),
        _tuned(rows, TERNARY, 2, "ternary, fine-tuned, at 95 % sparsity", MOST_TERNARY),
        _transform(rows),
    ]
    return [*found, _step(cost)]


def bits_saved(rows: Rows, variant: str, bits: int, key: str = "bits") -> float | None:
    """How much more uniform rounding needs for the distortion of a transform: in bits, or as a multiple of its bytes.

    Interpolated between uniform widths in the logarithm of the distortion; None outside of what was measured.
    """
    row = rows.get("transform", "dense", variant, bits)
    points = [r for width in TRANSFORM_WIDTHS if (r := rows.get("transform", "dense", "uniform", width))]
    if row is None:
        return None
    for finer, coarser in itertools.pairwise(points):
        if finer["change_px2"] <= row["change_px2"] <= coarser["change_px2"]:
            low, high = math.log(finer["change_px2"]), math.log(coarser["change_px2"])
            share = (math.log(row["change_px2"]) - low) / (high - low)
            needed = finer[key] + share * (coarser[key] - finer[key])
            return needed - row[key] if key == "bits" else needed / row[key]
    return None


def _tuned(rows: Rows, variant: str, bits: int, what: str, most: float) -> tuple[str, str, str]:
    row, reference = rows.get("tuned", "pruned", variant, bits), rows.in_float("pruned")
    text = f"{what}: at most {most:g} % above the pruned network's EPE"
    if row is None or reference is None:
        return text, "not run", ""
    facts = f"{loss_cell(row, reference)} px against {reference['epe_px']:.3f}"
    control = rows.get("tuned", "pruned", "float", 32)
    if control:
        facts += f"; against as many more steps in float ({control['epe_px']:.3f} px): {loss(row, control)}"
    return text, verdict(loss_percent(row, reference) <= most), facts


def _rounded(rows: Rows) -> list[tuple[str, str, str]]:
    found = []
    for start in ("dense", "pruned", "stereonet", "anynet"):
        group = "post_training" if start in ("dense", "pruned") else "published"
        name = "lsq" if group == "post_training" else "A8"
        reference = rows.in_float(start)
        plans = {way: rows.get(group, start, f"{name}, {way}", 8) for way in ("nearest", "reconstruct")}
        run = {way: row for way, row in plans.items() if row}
        text = f"W8 A8 after training, {start}: at most {MOST_ROUNDED:g} % of EPE"
        if not run or reference is None:
            found.append((text, "not run", ""))
            continue
        held = min(loss_percent(row, reference) for row in run.values()) <= MOST_ROUNDED
        found.append((text, verdict(held), "; ".join(f"{way} {loss(row, reference)}" for way, row in run.items())))
    return found


def _transform(rows: Rows) -> tuple[str, str, str]:
    text = f"transform saves {LEAST_BITS:g} bit over uniform rounding at equal change of the output, nothing trained"
    saved = {(v, b): s for v in TRANSFORMS for b in TRANSFORM_WIDTHS if (s := bits_saved(rows, v, b)) is not None}
    if not saved:
        return text, "not run", ""
    facts = "; ".join(f"{variant}, {bits} bits: {value:+.2f} bits" for (variant, bits), value in saved.items())
    return text, verdict(min(saved.values()) >= LEAST_BITS, max(saved.values()) >= LEAST_BITS), facts


def _step(cost: dict[str, Any] | None) -> tuple[str, str, str]:
    text = f"a fake-quantized step costs at most {MOST_STEP:g} plain steps"
    if cost is None:
        return text, "not run", ""
    ratios = {name: cost["rows"][name] for name in QUANTIZED}
    plain, folded = (max(row[key] for row in ratios.values()) for key in ("to_plain", "to_folded"))
    lsq = next(iter(ratios.values()))
    facts = (
        f"lsq {lsq['to_plain']:.3f} (to `{PLAIN}`), {lsq['to_folded']:.3f} (to `{FOLDED}`); the dearest quantizer "
        f"{plain:.2f} and {folded:.2f}"
    )
    return text, verdict(plain <= MOST_STEP, lsq["to_plain"] <= MOST_STEP), facts


def verdict(held: bool, partly: bool = False) -> str:
    """In a word."""
    return "held" if held else "held in part" if partly else "MISSED"
