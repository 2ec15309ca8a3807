"""Registry of quantizers: every quantizer knows its name and keeps zeros."""

from __future__ import annotations

import pytest
import torch

from disparsity.quant.quantizers.registry import QUANTIZERS


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_keeps_zero_and_knows_its_name(name: str) -> None:
    builder = QUANTIZERS[name]
    bits = builder.settings.widths[-1]
    weight = builder.weight(torch.tensor([[0.5, 1.0, -2.0]]), bits, 0, builder.settings(), True)
    activation = builder.activation(8, -3)
    assert weight.kind == name
    assert QUANTIZERS[activation.kind].activation is builder.activation
    assert not bool(weight(torch.zeros(1, 3)).any())
    assert not bool(activation(torch.zeros(1, 3)).any())
