"""Layer calls as columns: copied from the record, and two figures that follow from it."""

from __future__ import annotations

import dataclasses

import pytest

from disparsity.hwcost.models.calls import CallColumns, call_columns
from disparsity.hwcost.models.quantities import columns_of


def test_the_record_is_copied_and_sparsity_follows(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=108)  # a quarter of 432 weights
    found = call_columns(call)
    assert (found.name, found.kind, found.kernel, found.weight_count) == ("0", "Conv2d", (3, 3), 432)
    assert found.sparsity_percent == pytest.approx(75.0)
    assert found.output_elements == 16 * 32 * 64


def test_a_part_without_weights_has_no_sparsity(anchors) -> None:
    part = dataclasses.replace(anchors["L1"], weight_count=0, nnz=0)
    assert call_columns(part).sparsity_percent is None


def test_only_the_name_has_to_be_known() -> None:
    assert set(vars(CallColumns(name="a")).values()) == {"a", None}
    assert columns_of(CallColumns)["nnz"].title == "non-zero"
