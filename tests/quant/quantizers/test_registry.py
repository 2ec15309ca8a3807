from __future__ import annotations

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.quant.quantizers import QUANTIZERS, builder_for, quantizer_builder
from disparsity.quant.quantizers.settings import QuantizerSettings


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_keeps_zero_and_knows_its_name(name: str) -> None:
    builder = quantizer_builder(name)
    weight = builder.weight(torch.tensor([[0.5, 1.0, -2.0]]), builder.widths[-1], 0, "mse", QuantizerSettings())
    activation = builder.activation(8, -3)
    assert weight.kind == name
    assert quantizer_builder(activation.kind).activation is builder.activation
    assert not bool(weight(torch.zeros(1, 3)).any())
    assert not bool(activation(torch.zeros(1, 3)).any())


def test_unknown_quantizer() -> None:
    with pytest.raises(InputError, match="unknown quantizer; found magic; expected lsq"):
        quantizer_builder("magic")


def test_another_quantizer_takes_the_bits_that_one_does_not_have() -> None:
    assert builder_for(4, "power_of_two", "lsq") is QUANTIZERS["power_of_two"]
    assert builder_for(8, "power_of_two", "lsq") is QUANTIZERS["lsq"]
    with pytest.raises(InputError, match=r"found 8; expected 2\.\.5 \(power_of_two\)$"):
        builder_for(8, "power_of_two", "power_of_two")
