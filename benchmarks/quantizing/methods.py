"""The published methods, each against its natural baseline."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

from quantizing.cases import SIGNS, TRANSFORM_WIDTHS
from quantizing.expectations import TRANSFORMS, bits_saved
from quantizing.notes import JUDGED
from quantizing.rows import Row, Rows

ALLOCATIONS = Path(__file__).parents[1] / "results" / "stage_two_allocation.csv"
CLAIMS = {
    "PSGD": "the gap between the full-precision weights and their compressed form shrinks, even at very few bits",
    "AJPQ": "pruning and quantizing one after the other is suboptimal; with 0 bits as pruning one search does both",
    "Pruning ternary quantization": "normalising and pruning shrink the discrepancy between weights and their signs",
    "GDRQ": "weights of a uniform-like distribution are friendlier to few bits",
    "PQK": "the pruned weights make a teacher for a better student, without a teacher that was trained before",
    "Transform quantization": "decorrelating weights after training improves compression at any rate of bits",
}
"""What each abstract says, in our words."""


def methods(rows: Rows) -> list[tuple[str, str, str, str]]:
    """Name, claim, what was found here, and what that says of the claim."""
    found = {
        "PSGD": _psgd(rows),
        "AJPQ": _ajpq(),
        "Pruning ternary quantization": _ternary(rows),
        "GDRQ": _gdrq(rows),
        "PQK": _pqk(rows),
        "Transform quantization": _transform(rows),
    }
    return [(name, claim, found[name], JUDGED[name]) for name, claim in CLAIMS.items()]


def _psgd(rows: Rows) -> str:
    parts = []
    for bits in (4, 3):
        with_it, without = (rows.get("drift", "dense", name, bits) for name in ("psgd", "plain"))
        if with_it and without:
            parts.append(f"W{bits}: {_against(with_it, without, 'the same steps without')}")
    return _sentence(parts)


def _ajpq() -> str:
    if not ALLOCATIONS.is_file():
        return "not run"
    with ALLOCATIONS.open(newline="") as file:
        table = list(csv.DictReader(file))
    parts = []
    for bits in sorted({row["average_bits"] for row in table}):
        means = {
            method: [float(r["epe_px"]) for r in table if (r["method"], r["average_bits"]) == (method, bits)]
            for method in ("uniform", "lagrangian", "search, bits only", "search, 0 bits too")
        }
        cells = [f"{name} {sum(epe) / len(epe):.3f} (n={len(epe)})" for name, epe in means.items() if epe]
        parts.append(f"{float(bits):g} bits on average: {', '.join(cells)} px")
    return _sentence(parts)


def _ternary(rows: Rows) -> str:
    parts = []
    for start in ("pruned", "dense"):
        row, plain = (rows.get("post_training", start, f"{name}, nearest", 2) for name in ("ternary", "lsq"))
        if row and plain:
            parts.append(f"{start}, nothing trained: {_against(row, plain, 'a uniform 2-bit grid')}")
    for threshold in ("threshold 0", "threshold 0.7"):
        row, plain = (rows.get("ternary", "pruned", threshold + scale, 2) for scale in ("", ", norms kept"))
        if row and plain:
            parts.append(f"pruned, scales of least squares, {threshold}: {_against(row, plain, 'norms kept')}")
    reference = rows.in_float("pruned")
    for variant, what in ((SIGNS, "as published"), ("ternary, rounded to nearest", "our defaults")):
        row = rows.get("tuned", "pruned", variant, 2)
        if row and reference:
            parts.append(f"pruned, fine-tuned, {what}: {_against(row, reference, 'float before')}")
    return _sentence(parts)


def _gdrq(rows: Rows) -> str:
    parts = []
    row = rows.get("drift", "dense", "reshaped", 3)
    for name, what in (("plain", "the same steps without, min-max grid"), ("plain, mse grid", "... with an mse grid")):
        other = rows.get("drift", "dense", name, 3)
        if row and other:
            parts.append(f"dense W3, reshaped: {_against(row, other, what)}")
    for start, bits in product(("pruned", "dense"), (4, 3)):
        row, plain = (rows.get("post_training", start, f"{n}, nearest", bits) for n in ("scale_clip", "lsq"))
        if row and plain:
            parts.append(
                f"{start} W{bits}, its grid without the reshaping, nothing trained: {_against(row, plain, 'lsq')}"
            )
    row, plain = rows.get("tuned", "pruned", "scale_clip", 3), rows.get("tuned", "pruned", "lsq", 3)
    if row and plain:
        parts.append(f"pruned W3, fine-tuned on its grid: {_against(row, plain, 'lsq')}")
    return _sentence(parts)


def _pqk(rows: Rows) -> str:
    none = rows.get("tuned", "pruned", "lsq", 3)
    taught = {name: rows.get("teacher", "pruned", name, 3) for name in ("in_network", "dense")}
    parts = [f"{name} teacher: {_against(row, none, 'none')}" for name, row in taught.items() if row and none]
    return _sentence([f"pruned W3, {part}" for part in parts])


def _transform(rows: Rows) -> str:
    parts = []
    for variant, bits in product(TRANSFORMS, TRANSFORM_WIDTHS):
        saved, size = (bits_saved(rows, variant, bits, key) for key in ("bits", "bytes"))
        if saved is not None and size is not None:
            parts.append(f"{variant}, {bits} bits: {saved:+.2f} bits, packed file of uniform x{size:.2f}")
    return _sentence(parts)


def _against(row: Row, other: Row, what: str) -> str:
    return f"{row['epe_px']:.3f} px against {other['epe_px']:.3f} with {what}"


def _sentence(parts: list[str]) -> str:
    return "; ".join(parts) if parts else "not run"
