from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.grids.codes import integer_codes


def test_codes_by_hand() -> None:
    network = nn.Sequential(nn.Linear(3, 2, bias=False))
    network[0].weight.data = torch.tensor([[0.5, -0.5, 0.0], [2.0, 0.1, -2.0]])
    attach_quantizers(network, {"0": LayerBits(weights=2, activations=32)})
    codes, steps = integer_codes(network[0])
    assert codes.tolist() == [[1, -1, 0], [1, 0, -1]]
    assert steps.tolist() == [0.5, 2.0]


def test_layers_in_float_have_no_codes() -> None:
    with pytest.raises(InputError, match="Linear: integer codes of a layer in float"):
        integer_codes(nn.Linear(2, 2))
