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
        """The result of one case, if it was run."""
        asked = (group, start, variant, bits)
        return next((r for r in self.found if (r["group"], r["start"], r["variant"], r["bits"]) == asked), None)

    def in_float(self, start: str) -> Row | None:
        """The network that a case began with."""
        group = "float" if start in ("dense", "pruned") else "published"
        return self.get(group, start, "float", 32)


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
    """EPE, and its loss with the paired standard error."""
    if row is None or reference is None:
        return "not run"
    error = paired_error(row, reference)
    noise = f" ± {error:.1f}" if error is not None else ""
    return f"{row['epe_px']:.3f} ({loss_percent(row, reference):+.1f}{noise} %)"
