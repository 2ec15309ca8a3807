"""Shift-add figures of layers, each layer once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.sections.multipliers import multiplier_columns, multipliers_section, shift_add_counts


def test_two_layers_of_which_one_is_in_float(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=5)
    codes = np.zeros((16, 3, 3, 3), np.int64)
    codes[0].flat[:4], codes[1].flat[:2] = (7, 0, -4, 1), (11, 2)
    layers = [
        PackedLayer(name=call.name, codes=codes, steps=np.ones(16, np.float16), bits=5),
        FloatLayer(name="float", values=np.ones((1, 1), np.float32)),
    ]
    counts = shift_add_counts(layers)
    assert multiplier_columns(call, counts) == {
        "multiplier_adders": 3, "sum_adders": 3, "shifts": 2, "shift_only_percent": pytest.approx(60),
    }  # fmt: skip
    assert set(multiplier_columns(dataclasses.replace(call, call=1), counts).values()) == {None}
    found = multipliers_section(counts, [call])
    assert (found["multiplier_adders"], found["adders_per_weight"]) == (3, pytest.approx(3 / 5))
    assert found["shift_only_percent"] == pytest.approx(60)


def test_nothing_is_known_of_floats(anchors) -> None:
    assert set(multipliers_section(shift_add_counts(None), [anchors["L1"]]).values()) == {None}
