from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers, trained_weight
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import (
    attach_quantizers,
    detach,
    input_quantizer,
    layer_bits,
    quantized_layers,
    round_steps,
    rounded_weight,
    step_parameters,
)
from disparsity.quant.bits import LayerBits
from disparsity.quant.grids.codes import integer_codes, weights_from_codes

BITS = LayerBits(weights=4, activations=8)


def quantize(network: nn.Module, pair, bits: LayerBits = BITS) -> nn.Module:
    attach_quantizers(network, dict.fromkeys(quantizable_layers(network), bits))
    calibrate(network, [pair])
    return network


def test_effective_weight_is_the_quantized_masked_weight(toy, pair, masked) -> None:
    masks = masked(toy)
    quantize(toy, pair)
    assert list(quantized_layers(toy)) == list(quantizable_layers(toy)) == list(masks)
    for name, layer in quantizable_layers(toy).items():
        chain = layer.parametrizations.weight
        assert torch.equal(layer.weight, chain[1](chain.original * masks[name]))
        assert bool((layer.weight[~masks[name]] == 0).all())
    assert layer_bits(toy) == dict.fromkeys(masks, BITS)


def test_layers_left_in_float(toy, pair) -> None:
    attach_quantizers(toy, {"score": LayerBits(weights=32, activations=8), "up": LayerBits(weights=2, activations=32)})
    calibrate(toy, [pair])
    assert layer_bits(toy) == {
        "up": LayerBits(weights=2, activations=32),
        "score": LayerBits(weights=32, activations=8),
    }
    assert len(step_parameters(toy)) == 2


def test_more_bits_come_closer(toy, pair) -> None:
    exact = toy(*pair).detach()
    errors = [
        float(
            (quantize(copy.deepcopy(toy), pair, LayerBits(weights=b, activations=b))(*pair).detach() - exact)
            .abs()
            .mean()
        )
        for b in (2, 4, 8, 12)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2e-3


def test_training_keeps_pruned_weights_at_zero_and_lowers_the_loss(toy, pair, masked) -> None:
    masks = masked(toy, 0.4)
    quantize(toy, pair)
    steps = {id(p) for p in step_parameters(toy)}
    weights = [p for p in toy.parameters() if id(p) not in steps]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.1}, {"params": step_parameters(toy), "weight_decay": 0.0}], lr=5e-3
    )
    target = torch.full((2, 8, 12), 2.5)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (toy(*pair) - target).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        for name, layer in quantizable_layers(toy).items():
            assert bool((layer.weight[~masks[name]] == 0).all())
    assert losses[-1] < 0.8 * losses[0]


def test_every_step_and_weight_receives_a_gradient(toy, pair) -> None:
    quantize(toy, pair)(*pair).square().sum().backward()
    for parameter in step_parameters(toy):
        assert parameter.grad is not None
        assert bool((parameter.grad != 0).any())


def test_siamese_calls_share_one_step_and_both_give_it_gradients(toy, pair) -> None:
    quantize(toy, pair)
    layer = toy.features[0]
    gradients = []
    for inputs in ((pair[0],), (pair[1],), pair):
        layer.zero_grad()
        sum(layer(image).sum() for image in inputs).backward()
        gradients.append(float(input_quantizer(layer).log_step.grad))
    assert gradients[2] == pytest.approx(gradients[0] + gradients[1], rel=1e-4)


def test_deep_copies_quantize_and_are_independent(toy, pair, masked) -> None:
    masked(toy)
    quantize(toy, pair)
    expected = toy(*pair)
    twin = copy.deepcopy(toy)
    assert torch.equal(twin(*pair), expected)
    for parameter in step_parameters(twin):
        parameter.data.add_(1.0)
    assert torch.equal(toy(*pair), expected)
    assert not torch.equal(twin(*pair), expected)


def test_codes_times_steps_are_the_weights_bit_by_bit(toy, pair, masked) -> None:
    for bits in (2, 3, 4, 8, 16):
        network = copy.deepcopy(toy)
        masked(network)
        quantize(network, pair, LayerBits(weights=bits, activations=8))
        for layer in quantized_layers(network).values():
            layer.parametrizations.weight[1].log_step.data.add_(0.1)
        before = network(*pair)
        round_steps(network)
        assert torch.equal(network(*pair), before)
        for layer in quantized_layers(network).values():
            codes, steps = integer_codes(layer)
            assert steps.dtype == torch.float16
            assert codes.dtype == (torch.int8 if bits <= 8 else torch.int16)
            again = weights_from_codes(codes, steps, layer)
            assert torch.equal(again.view(torch.int32), layer.weight.detach().view(torch.int32))


def test_detach_gives_back_the_float_network(toy, pair, masked) -> None:
    masked(toy)
    expected, keys = toy(*pair), set(toy.state_dict())
    quantize(toy, pair)
    detach(toy)
    assert torch.equal(toy(*pair), expected)
    assert set(toy.state_dict()) == keys
    assert quantized_layers(toy) == {}
    quantize(toy, pair)


def test_detach_without_masks_leaves_plain_layers(toy, pair) -> None:
    keys = set(toy.state_dict())
    quantize(toy, pair)
    detach(toy)
    assert set(toy.state_dict()) == keys


def test_detach_can_keep_the_quantized_values(toy, pair, masked) -> None:
    masked(toy)
    quantize(toy, pair)
    weights = {name: layer.weight.detach().clone() for name, layer in quantizable_layers(toy).items()}
    detach(toy, keep_quantized=True)
    for name, layer in quantizable_layers(toy).items():
        assert torch.equal(layer.weight, weights[name])


def test_refusals_change_nothing(toy) -> None:
    keys = set(toy.state_dict())
    with pytest.raises(InputError, match="did you mean 'score'"):
        attach_quantizers(toy, {"up": BITS, "scor": BITS})
    toy.score.weight.data[0, 0, 0, 0, 0] = float("inf")
    with pytest.raises(InputError, match="not finite"):
        attach_quantizers(toy, {"up": BITS, "score": BITS})
    assert set(toy.state_dict()) == keys
    attach_quantizers(toy, {"up": BITS})
    with pytest.raises(InputError, match="up: the layer already has a quantizer"):
        attach_quantizers(toy, {"up": BITS})


def test_uncalibrated_network_refuses(toy, pair) -> None:
    attach_quantizers(toy, {"up": BITS})
    with pytest.raises(InputError, match="not calibrated"):
        toy(*pair)


def test_a_fully_pruned_layer_trains_without_nan(toy, pair, masked) -> None:
    masked(toy, 0.0)
    quantize(toy, pair)(*pair).sum().backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in toy.parameters() if p.grad is not None)


def test_rounded_weights_are_those_of_the_grid_whether_pruned_or_not(toy, pair, masked) -> None:
    masks = masked(toy)
    quantize(toy, pair)
    layer = toy.filter[0]
    rounded, steps = rounded_weight(layer), integer_codes(layer)[1].float().view(-1, 1, 1, 1, 1)
    live = masks["filter.0"]
    assert torch.equal(rounded[live], layer.weight[live])
    expected = (layer.parametrizations.weight.original / steps).round().clamp(-7, 7) * steps
    torch.testing.assert_close(rounded, expected.detach())
    assert bool(rounded[~live].any())
    assert not rounded.requires_grad


def test_the_trained_tensor_of_a_layer_in_float_is_its_rounded_weight(toy, masked) -> None:
    assert rounded_weight(toy.score).data_ptr() == toy.score.weight.data_ptr()
    assert trained_weight(toy.score) is toy.score.weight
    masked(toy)
    assert torch.equal(rounded_weight(toy.score), toy.score.parametrizations.weight.original)
