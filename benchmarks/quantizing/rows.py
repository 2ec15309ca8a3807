"""The results of all cases, and the one that is asked for."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]

FEWEST = 8
"""Pairs that a standard error is computed from."""


@dataclass(frozen=True)
class Rows:
    """What was measured."""

    found: list[Row]

    @classmethod
    def read(cls, out: Path) -> Rows:
        """All result files of a folder."""
        return cls([json.loads(path.read_text()) for path in sorted(out.glob("*.json"))])

    def of(self, group: str) -> list[Row]:
        """The results of a group."""
        return [row for row in self.found if row["group"] == group]

    def get(self, group: str, start: str, variant: str, bits: int) -> Row | None:
        """The result of one case, if it was run: the mean of its seeds, whose errors are `seeds_epe_px`."""
        asked = (group, start, variant, bits)
        rows = [r for r in self.found if (r["group"], r["start"], r["variant"], r["bits"]) == asked]
        return _mean(rows) if rows else None

    def in_float(self, start: str) -> Row | None:
        """The network that a case began with."""
        group = "float" if start in ("dense", "pruned") else "published"
        return self.get(group, start, "float", 32)


def _mean(rows: list[Row]) -> Row:
    means = {key: statistics.mean(r[key] for r in rows) for key in rows[0] if isinstance(rows[0][key], float)}
    means["bytes"] = round(statistics.mean(r["bytes"] for r in rows))
    pairs = [statistics.mean(errors) for errors in zip(*(r["scene_epe_px"] for r in rows), strict=True)]
    return {**rows[0], **means, "scene_epe_px": pairs, "seeds_epe_px": [r["epe_px"] for r in rows]}


def loss_percent(row: Row, reference: Row, key: str = "epe_px") -> float:
    """How much larger an error is than the reference's."""
    return 100 * (row[key] / reference[key] - 1)


def paired_error(row: Row, reference: Row) -> float | None:
    """Standard error of the mean difference of the pairs' EPE, in percent of the reference's."""
    ours, theirs = row["scene_epe_px"], reference["scene_epe_px"]
    if len(theirs) < FEWEST:
        return None
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = statistics.mean(theirs)
    return 100 * statistics.stdev(differences) / math.sqrt(len(differences)) / mean


def loss_cell(row: Row | None, reference: Row | None) -> str:
    """EPE, its loss with the paired standard error, and the range of the seeds if there are several."""
    if row is None or reference is None:
        return "not run"
    return f"{row['epe_px']:.3f} ({loss(row, reference)}{_range(row)})"


def loss(row: Row, reference: Row) -> str:
    """The loss in percent, with the paired standard error."""
    error = paired_error(row, reference)
    noise = f" ± {error:.1f}" if error is not None else ""
    return f"{loss_percent(row, reference):+.1f}{noise} %"


def _range(row: Row) -> str:
    epe = row["seeds_epe_px"]
    return f"; {min(epe):.3f} to {max(epe):.3f}, n={len(epe)}" if len(epe) > 1 else ""
