"""A whole network in its integer form: siamese layers, layers left in float, batches, and the original left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers, quantized_layers
from disparsity.quant.bits import LayerBits
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.integer.network import float_layers, integer_form, integer_layers
from disparsity.quant.integer.settings import IntegerSettings
from disparsity.quant.quantizers.settings import TransformSettings

LAYERS = ("features.0", "filter.0", "up", "score")
EIGHT = LayerBits(weights=8, activations=8)


def quantize(network: nn.Module, pair: tuple[Tensor, Tensor], bits: dict[str, LayerBits] | None = None) -> nn.Module:
    fold_batchnorm(network, pair)
    attach_quantizers(network, bits or dict.fromkeys(LAYERS, EIGHT))
    calibrate(network, [pair])
    finalise(network)
    return network


def test_every_quantized_layer_is_replaced_and_the_outputs_stay_close(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    network = quantize(toy, pair)
    integer = integer_form(network)
    assert tuple(integer_layers(integer)) == LAYERS
    assert float_layers(integer) == []
    with torch.no_grad():
        expected = network(*pair)
        assert float((integer(*pair) - expected).abs().max()) < 0.1 * float(expected.std())


def test_the_network_itself_is_left_as_it_is(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    network = quantize(toy, pair).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        expected = network(*pair)
    integer = integer_form(network)
    assert network.training
    assert not integer.training
    assert tuple(quantized_layers(network)) == LAYERS
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    with torch.no_grad():
        assert torch.equal(network(*pair), expected)


def test_a_siamese_layer_has_one_replacement(
    toy: Any, pair: tuple[Tensor, Tensor], masked: Callable[..., object]
) -> None:
    toy.right_features = toy.features  # the same module by a second name
    masked(toy)
    integer = integer_form(quantize(toy, pair))
    assert integer.features[0] is integer.right_features[0]
    assert 0.3 < float((integer.features[0].constants.codes == 0).float().mean()) < 0.8
    calls: list[int] = []
    integer.features[0].register_forward_hook(lambda *_: calls.append(1))
    integer(*pair)
    assert len(calls) == 2 * len(pair[0])


def test_layers_left_in_float_are_named(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    bits = {
        "features.0": EIGHT,
        "filter.0": LayerBits(weights=8, activations=32),
        "score": LayerBits(weights=32, activations=8),
    }
    network = quantize(toy, pair, bits)
    integer = integer_form(network)
    assert tuple(integer_layers(integer)) == ("features.0",)
    assert float_layers(integer) == ["filter.0", "up", "score"]
    with torch.no_grad():
        expected = network(*pair)
        assert float((integer(*pair) - expected).abs().max()) < 0.1 * float(expected.std())


def test_weights_that_are_no_integers_stay_in_float(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    fold_batchnorm(toy, pair)
    attach_quantizers(toy, {"filter.0": EIGHT}, quantizer=TransformSettings())
    attach_quantizers(toy, {"features.0": EIGHT})
    calibrate(toy, [pair])
    finalise(toy)
    integer = integer_form(toy)
    assert tuple(integer_layers(integer)) == ("features.0",)
    assert float_layers(integer) == ["filter.0", "up", "score"]
    with torch.no_grad():
        assert float((integer(*pair) - toy(*pair)).abs().max()) < 0.1 * float(toy(*pair).std())


def test_bit_exact_between_batch_sizes_runs_and_threads(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    integer, threads = integer_form(quantize(toy, pair)), torch.get_num_threads()
    with torch.no_grad():
        whole = integer(*pair)
        assert torch.equal(whole, integer(*pair))
        single = [integer(left[None], right[None]) for left, right in zip(*pair, strict=True)]
        assert torch.equal(whole, torch.cat(single))
        try:
            torch.set_num_threads(2)
            assert torch.equal(whole, integer(*pair))
        finally:
            torch.set_num_threads(threads)


def test_an_overflow_names_the_layer(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    integer = integer_form(quantize(toy, pair), IntegerSettings(accumulator_bits=14))
    with pytest.raises(InputError, match=r"features\.0: a sum overflows the accumulators; found 1[5-9] bits"):
        integer(*pair)


def test_what_is_not_quantized_is_refused(toy: Any, pair: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(InputError, match="the network is not quantized"):
        integer_form(toy)
    attach_quantizers(toy, dict.fromkeys(LAYERS, EIGHT))
    with pytest.raises(InputError, match=r"features\.0: an activation quantizer was not calibrated"):
        integer_form(toy)
