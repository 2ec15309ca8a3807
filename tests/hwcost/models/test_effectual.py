"""Shares of products measured on pairs, and their absence."""

from __future__ import annotations

import dataclasses

from disparsity.hwcost.models.effectual import (
    EffectualColumns,
    EffectualSection,
    NonZero,
    effectual_columns,
    effectual_rows,
    effectual_section,
)
from disparsity.hwcost.models.effectual_macs import EffectualMacs
from disparsity.hwcost.tracing.activation_statistics import Observation

MACS = {
    ("a", 0): EffectualMacs(dense=100, by_weight=50, by_activation=40, by_both=10),
    ("a", 1): EffectualMacs(dense=100, by_weight=50, by_activation=60, by_both=30),
}
SEEN = Observation(data="synthetic:", pairs=2, size=(8, 16), cropped=True, macs=MACS, largest_codes={})


def test_totals_and_shares() -> None:
    assert effectual_section(SEEN) == EffectualSection(
        data="synthetic:", pairs=2, size=(8, 16), cropped=True, dense_macs=200,
        macs=NonZero(by_weight=100, by_activation=100, by_both=40),
        share_percent=NonZero(by_weight=50, by_activation=50, by_both=20),
    )  # fmt: skip


def test_calls_have_their_own_shares(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], name="a", call=1)
    assert effectual_columns(call, MACS) == EffectualColumns(
        activation_effectual_percent=60, joint_effectual_percent=30
    )


def test_nothing_is_known_without_pairs(anchors) -> None:
    assert effectual_section(None) is None
    assert effectual_columns(anchors["L1"], {}) == EffectualColumns()


def test_rows_count_products_or_say_that_nothing_was_measured() -> None:
    (row,) = effectual_rows(None)
    assert (row.missing, row.after) == ("not measured", None)
    rows = effectual_rows(effectual_section(SEEN))
    assert {row.group for row in rows} == {"products on real pairs (2 at 8×16, cropped)"}
    assert [(row.label, row.before, row.after) for row in rows] == [
        ("weight not 0", 200, 100),
        ("activation not 0", 200, 100),
        ("both not 0", 200, 40),
    ]
