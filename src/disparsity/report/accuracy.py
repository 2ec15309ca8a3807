"""Accuracy of every stage: one row per data set and stage, and what changed from the dense to the last stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from disparsity.hwcost.models.quantities import Number, Percent, Row

Stage = Literal["dense", "pruned", "quantized"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """Errors of one stage on one data set; fields with a default are those that older reports lack.

    Attributes:
        data: URI of the data set.
        stage: of the run.
        epe_px, bad1_percent, bad2_percent, bad3_percent, d1_percent: over all pixels together.
        density_percent: of the pixels, those with an estimate.
        pixels, images: that were scored.
        per_image_epe_px, per_image_bad1_percent, per_image_bad2_percent, per_image_bad3_percent,
            per_image_d1_percent, per_image_density_percent: means over the images.
        mask: which pixels were scored, in words.
        pixels_beyond_range: of the scored pixels, those at or beyond the network's maximum disparity.
        aggregation: how pixels were taken together, in words.

    """

    data: str
    stage: Stage
    epe_px: Number | None
    bad1_percent: Percent | None
    bad2_percent: Percent | None
    bad3_percent: Percent | None
    d1_percent: Percent | None
    density_percent: Percent | None = None
    pixels: int | None
    images: int | None
    per_image_epe_px: Number | None = None
    per_image_bad1_percent: Percent | None = None
    per_image_bad2_percent: Percent | None = None
    per_image_bad3_percent: Percent | None = None
    per_image_d1_percent: Percent | None = None
    per_image_density_percent: Percent | None = None
    mask: str | None = None
    pixels_beyond_range: int | None = None
    aggregation: str | None


def data_ends(rows: Sequence[AccuracyRow]) -> list[tuple[AccuracyRow, AccuracyRow]]:
    """For every data set and aggregation the dense row and the row of the last stage that was evaluated."""
    groups: dict[tuple[str, str | None], list[AccuracyRow]] = {}
    for row in rows:
        groups.setdefault((row.data, row.aggregation), []).append(row)
    ordered = [sorted(group, key=lambda row: STAGES.index(row.stage)) for group in groups.values()]
    return [(group[0], group[-1]) for group in ordered if group[0].stage == "dense" and len(group) > 1]


def accuracy_rows(rows: Sequence[AccuracyRow]) -> list[Row]:
    """EPE as a factor, bad-3 and D1 in points, for every data set."""
    found = []
    for before, after in data_ends(rows):
        group = "accuracy, " + ", ".join(filter(None, (before.data, before.aggregation)))
        found += [
            Row(group=group, label="EPE", unit="px", before=before.epe_px, after=after.epe_px, change="factor"),
            Row(
                group=group, label="bad-3", unit="percent",
                before=before.bad3_percent, after=after.bad3_percent, change="points",
            ),
            Row(
                group=group, label="D1", unit="percent",
                before=before.d1_percent, after=after.d1_percent, change="points",
            ),
        ]  # fmt: skip
    return found
