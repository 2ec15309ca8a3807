"""The packed network as data: effective weights, and factors that belong to a layer."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.codec.packed_network import MIXING, FloatLayer, PackedLayer, effective_weight, factor_name, owner


def test_the_effective_weight_of_a_transposed_convolution() -> None:
    codes = np.array([[[1, -2], [3, 0]]])  # [in 1, out 2, kernel 2]
    layer = PackedLayer(name="up", codes=codes, steps=np.array([0.5, 2], np.float16), bits=4, output_axis=1)
    assert effective_weight(layer).tolist() == [[[0.5, -1.0], [6.0, 0.0]]]
    assert effective_weight(layer).dtype == np.float32


def test_a_float_layer_is_its_own_effective_weight() -> None:
    values = np.ones((2, 3), np.float32)
    assert effective_weight(FloatLayer(name="a", values=values)) is values


def test_a_factor_belongs_to_its_layer() -> None:
    assert owner(factor_name("tower.0", MIXING)) == owner("tower.0") == "tower.0"
