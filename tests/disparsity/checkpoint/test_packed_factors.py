"""Weights in factors: packed and restored, and how they are counted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.checkpoint.packed_factors import pack_factors, restore_factors
from disparsity.hwcost.codec.packed_network import MIXING, TRANSFORMED, PackedLayer, factor_name, owner
from disparsity.hwcost.models.shift_and_add import shift_add_counts
from disparsity.hwcost.models.storage import layer_storage, network_storage
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.attach import attach_quantizers, layer_bits, weight_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.quantizers.settings import TransformSettings
from disparsity.quant.quantizers.transform import TransformWeight


def transformed(bits: int = 3, *, fresh: bool = False) -> nn.Sequential:
    torch.manual_seed(1 if fresh else 0)
    network = nn.Sequential(nn.Conv2d(6, 8, 3), nn.Conv2d(8, 2, 3)).eval()
    attach_quantizers(network, {"0": LayerBits(weights=bits, activations=32)}, quantizer=TransformSettings())
    return network


def factors(network: nn.Sequential) -> tuple[PackedLayer, PackedLayer]:
    quantizer = weight_quantizer(network[0])
    assert isinstance(quantizer, TransformWeight)
    return pack_factors("0", quantizer)


def test_restored_factors_give_the_weight_bit_by_bit() -> None:
    network, other = transformed(), transformed(fresh=True)
    assert not torch.equal(network[0].weight, other[0].weight)
    restore_factors(other, factors(network))
    assert torch.equal(network[0].weight, other[0].weight)
    assert torch.equal(trained_weight(other[0]), network[0].weight)
    other.train()
    torch.testing.assert_close(other[0].weight, network[0].weight, rtol=0, atol=1e-6)


def test_columns_of_rows_that_hold_nothing_are_not_stored() -> None:
    network = transformed()
    quantizer = weight_quantizer(network[0])
    assert isinstance(quantizer, TransformWeight)
    quantizer.fit(trained_weight(network[0]).detach() * torch.logspace(0, -3, 6).view(1, -1, 1, 1))
    rows, mixing = factors(network)
    dead = ~rows.codes.any(axis=(0, 2, 3))
    assert bool(dead.any())
    assert not bool(mixing.codes[:, dead].any())
    assert bool(mixing.codes[:, ~dead].any(axis=0).all())


def test_a_missing_factor() -> None:
    with pytest.raises(KeyError, match="mixing"):
        restore_factors(transformed(), factors(transformed())[:1])


def test_both_factors_count_as_one_layer_and_as_no_multipliers() -> None:
    stored = factors(transformed())
    assert [layer.name for layer in stored] == [factor_name("0", TRANSFORMED), factor_name("0", MIXING)]
    assert {owner(layer.name) for layer in stored} == {"0"}
    (together,) = network_storage(stored).values()
    for kind, size in together.formats.items():
        assert size == sum(layer_storage(layer).formats[kind] for layer in stored)
    assert shift_add_counts(stored) == {}


def test_products_with_a_weight_in_factors_are_in_float() -> None:
    network = transformed()
    calls = trace_workload(network, (torch.zeros(1, 6, 8, 8),), layer_bits(network)).calls
    assert [(call.weight_bits, call.code_bits) for call in calls if call.weight_count] == [(32, 0), (32, 0)]
