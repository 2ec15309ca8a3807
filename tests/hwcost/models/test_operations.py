"""Bit operations of anchor layers by hand, and their totals of two networks."""

from __future__ import annotations

import dataclasses
import math

import pytest

from disparsity.hwcost.models.operations import OperationReductions, operation_columns, operations_section, total_bops
from disparsity.hwcost.models.quantities import Ends
from disparsity.hwcost.tracing.layer_call import Workload


def test_three_definitions_by_hand(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=108)  # a quarter of 432 weights
    bops = total_bops([call])
    macs, extra = 884_736, 4 + 8 + math.log2(27)
    assert bops["mac_product"] == macs / 4 * 32
    assert bops["uniq"] == pytest.approx(macs * (32 + extra))
    assert bops["ps_and_qs"] == pytest.approx(macs * (32 / 4 + extra))


def test_definitions_differ_by_half_at_4_and_8_bits(anchors) -> None:
    for call in anchors.values():
        full = dataclasses.replace(call, nnz=call.weight_count)
        bops = total_bops([full])
        assert 1.51 < bops["uniq"] / bops["mac_product"] < 1.69
        assert bops["uniq"] == pytest.approx(bops["ps_and_qs"])


def test_the_section_compares_both_networks(anchors) -> None:
    dense = Workload(calls=(anchors["L1"],), parameters=0, buffers=0)
    half = Workload(calls=(dataclasses.replace(anchors["L1"], nnz=216),), parameters=0, buffers=0)
    found = operations_section(dense, half)
    assert (found.dense_macs, found.effectual_macs) == (884_736, 442_368)
    assert found.bops["mac_product"] == Ends(dense=884_736 * 32, compressed=442_368 * 32)
    assert found.reduction_percent == OperationReductions(macs=50, bops=50)
    assert [row.label for row in found.rows()] == ["MACs", "BOPs (mac_product)", "BOPs (uniq)", "BOPs (ps_and_qs)"]
    assert operation_columns(anchors["L1"]).bops == 884_736 * 32
