"""Accumulator widths of a layer by hand, and what is not known."""

from __future__ import annotations

import dataclasses

import numpy as np

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.sections.accumulators import accumulator_columns, accumulators_section, largest_sums


def test_three_widths_of_one_layer(anchors) -> None:
    call = anchors["L1"]
    codes = np.zeros((16, 3, 3, 3), np.int64)
    codes[3, 0, 0, :2] = (7, -5)
    layer = PackedLayer(name=call.name, codes=codes, steps=np.ones(16, np.float16), bits=4)
    sums = largest_sums([call], [layer])
    assert sums == {call.name: 12}
    found = accumulator_columns(call, sums, {call.name: 255}, {call.name: 10})
    # 4 + 8 + ceil(log2 27); 12 x 255 = 3060 in 12 bits; 12 x 10 = 120 in 7; a sign each
    assert found == {"accumulator_bits": 17, "accumulator_weights_bits": 13, "accumulator_data_bits": 8}
    section = accumulators_section([call], sums, {call.name: 255}, {})
    assert section == {
        "worst_case_bits": 17, "weights_bits": 13, "data_bits": None, "integer_layers": 1, "float_layers": 0,
    }  # fmt: skip


def test_float_layers_have_no_integer_width(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], weight_bits=32)
    layer = FloatLayer(name=call.name, values=np.ones((16, 3, 3, 3), np.float32))
    assert largest_sums([call], [layer]) == {}
    section = accumulators_section([call], {}, {}, {})
    assert section["worst_case_bits"] is None
    assert (section["integer_layers"], section["float_layers"]) == (0, 1)
