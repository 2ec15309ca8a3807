from __future__ import annotations

import pytest
import torch

from disparsity.errors import InputError
from disparsity.quant.quantizers import QUANTIZERS, quantizer_builder


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_keeps_zero_and_knows_its_name(name: str) -> None:
    builder = quantizer_builder(name)
    weight = builder.weight(torch.tensor([[0.0, 1.0, -2.0]]), 4, 0, "mse")
    activation = builder.activation(8, -3)
    assert weight.kind == activation.kind == name
    assert not bool(weight(torch.zeros(1, 3)).any())
    assert not bool(activation(torch.zeros(1, 3)).any())


def test_unknown_quantizer() -> None:
    with pytest.raises(InputError, match="unknown quantizer; found magic; expected lsq"):
        quantizer_builder("magic")
