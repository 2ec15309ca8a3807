from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.export.rtl.layers import describe_layer
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.settings import IntegerSettings


def integer(layer: nn.Module, weights: int = 4) -> IntegerConvolution:
    attach_quantizers(nn.Sequential(layer), {"0": LayerBits(weights=weights, activations=8)})
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    quantizer.low = -16
    quantizer.set_step(0.5)
    return IntegerConvolution("tower.0", layer, IntegerSettings(accumulator_bits=24, output_bits=16))


def test_a_convolution_by_hand() -> None:
    layer = nn.Conv2d(2, 2, (3, 5), stride=(1, 2), padding=(1, 0), dilation=(2, 1), groups=2)
    layer.weight.data = torch.linspace(-7, 7, 30).view(2, 1, 3, 5)
    entry = describe_layer(integer(layer), "layers/000_tower.0")
    assert entry["name"] == "tower.0"
    assert entry["kind"] == "convolution"
    assert (entry["in_channels"], entry["out_channels"], entry["groups"]) == (2, 2, 2)
    assert (entry["kernel"], entry["stride"], entry["dilation"]) == ([3, 5], [1, 2], [2, 1])
    assert entry["padding"] == [[1, 1], [0, 0]]
    # Codes reach 239, so a step of 1/2 reaches 120 with one more: 24 bits below 2^30 are left.
    assert entry["input"] == {
        "bits": 32, "signed": True, "fraction_bits": 23, "multiplier": 2**30, "multiplier_bits": 31, "shift": 52,
        "low": -16, "high": 239, "code_bits": 8,
    }  # fmt: skip
    assert entry["weights"] == {
        "bits": 4, "signed": True, "shape": [2, 1, 3, 5], "file": "layers/000_tower.0/weights.hex",
        "packed_file": "layers/000_tower.0/weights.bin",
    }  # fmt: skip
    assert entry["accumulator"]["bits"] == 24
    assert entry["output"]["bits"] == 16
    assert entry["output"]["biases"] == {"bits": 16, "signed": True, "file": "layers/000_tower.0/biases.hex"}


def test_padding_by_name_and_linear_layers() -> None:
    same = describe_layer(integer(nn.Conv2d(1, 1, (4, 3), padding="same")), "x")
    assert same["padding"] == [[1, 2], [1, 1]]
    assert describe_layer(integer(nn.Conv2d(1, 1, 3, padding="valid")), "x")["padding"] == [[0, 0], [0, 0]]
    linear = describe_layer(integer(nn.Linear(3, 2)), "x")
    assert (linear["kind"], linear["in_channels"], linear["out_channels"]) == ("linear", 3, 2)
    assert "kernel" not in linear
    assert describe_layer(integer(nn.ConvTranspose2d(1, 1, 3)), "x")["kind"] == "transposed_convolution"


def test_other_padding_than_zeros_is_refused() -> None:
    layer = integer(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
    with pytest.raises(InputError, match=r"tower\.0: the target pads with zeros only; found padding_mode reflect"):
        describe_layer(layer, "x")
