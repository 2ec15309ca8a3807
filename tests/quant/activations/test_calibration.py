from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.activations.calibration_rules import CALIBRATION_RULES
from disparsity.quant.activations.settings import CalibrationSettings, PercentileRuleSettings
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits


def linear(bits: int = 4) -> nn.Sequential:
    network = nn.Sequential(nn.Linear(8, 2))
    attach_quantizers(network, {"0": LayerBits(weights=8, activations=bits)})
    return network


@pytest.mark.parametrize("rule", CALIBRATION_RULES)
def test_sign_follows_the_smallest_value(rule: str) -> None:
    settings = CalibrationSettings(rule=rule)
    values = torch.rand(4, 8, generator=torch.Generator().manual_seed(0))
    for shift in (0.0, -1e-3):
        network = linear()
        batch = values.clone()
        batch[0, 0] = shift
        calibrate(network, [(batch,)], settings)
        assert (input_quantizer(network[0]).low < 0) is (shift < 0)


def test_a_leaky_rectifier_gets_few_negative_codes() -> None:
    network = linear(6)
    values = torch.randn(200, 8, generator=torch.Generator().manual_seed(0))
    calibrate(network, [(torch.nn.functional.leaky_relu(values, 0.2),)])
    quantizer = input_quantizer(network[0])
    assert quantizer.low in (-12, -8)
    errors = []
    for low in (quantizer.low, -32):
        quantizer.low = low
        inputs = torch.nn.functional.leaky_relu(values, 0.2)
        steps = torch.linspace(0.02, 0.2, 200)
        errors.append(min(((inputs / s).round().clamp(low, low + 63) * s - inputs).square().mean() for s in steps))
    assert errors[0] < 0.6 * errors[1]


def test_max_rule_by_hand_over_several_batches() -> None:
    network = linear()
    calibrate(network, [(torch.full((1, 8), 3.0),), (torch.full((1, 8), 7.5),)], CalibrationSettings(rule="max"))
    assert float(input_quantizer(network[0]).step()) == 0.5


def test_range_is_taken_from_all_values_even_when_few_are_sampled() -> None:
    network = linear()
    batch = torch.zeros(1000, 8)
    batch[-1, -1] = -7.0
    calibrate(network, [(batch,)], CalibrationSettings(rule="max", samples_per_call=5))
    assert input_quantizer(network[0]).low == -14
    assert float(input_quantizer(network[0]).step()) == 0.5


@pytest.mark.parametrize("rule", CALIBRATION_RULES)
@pytest.mark.parametrize("constant", [0.0, 0.75, -3.0])
def test_constant_inputs(rule: str, constant: float) -> None:
    network = linear()
    batch = torch.full((2, 8), constant)
    calibrate(network, [(batch,)], CalibrationSettings(rule=rule))
    quantizer = input_quantizer(network[0])
    assert float(quantizer.step()) == 1.0 if constant == 0 else True
    torch.testing.assert_close(quantizer(batch), batch, rtol=2.0**-10, atol=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("position", [0, 1])
def test_inputs_that_are_not_finite_are_refused(bad: float, position: int) -> None:
    network = linear()
    batches = [(torch.ones(1, 8),), (torch.ones(1, 8),)]
    batches[position][0][0, 3] = bad
    with pytest.raises(InputError, match="0: the layer's input is not finite"):
        calibrate(network, batches)
    assert input_quantizer(network[0]).low is None


def test_layers_that_are_never_reached_are_named() -> None:
    with pytest.raises(InputError, match="0: the calibration never reached this layer"):
        calibrate(linear(), [])


def test_calibration_touches_neither_modes_nor_statistics(toy, pair) -> None:
    attach_quantizers(toy, {"up": LayerBits(weights=4, activations=8)})
    toy.train()
    toy.score.eval()
    before = {name: value.clone() for name, value in toy.named_buffers()}
    calibrate(toy, [pair])
    assert toy.training
    assert not toy.score.training
    assert all(torch.equal(value, before[name]) for name, value in toy.named_buffers())
    assert input_quantizer(toy.up).observer is None


def test_the_same_batches_give_the_same_steps(toy, pair) -> None:
    attach_quantizers(toy, {"score": LayerBits(weights=4, activations=8)})
    steps = []
    for seed in (0, 0, 1):
        calibrate(toy, [pair], CalibrationSettings(samples_per_call=50, seed=seed))
        steps.append(input_quantizer(toy.score).log_step.tolist())
    assert steps[0] == steps[1]


def test_unknown_rule() -> None:
    with pytest.raises(InputError, match="rule: unknown name 'magic'; expected auto, mse, percentile, max"):
        CalibrationSettings(rule="magic")


def test_the_cost_volume_has_a_grid_of_its_own(toy, pair) -> None:
    bits = dict.fromkeys(("features.0", "filter.0", "score"), LayerBits(weights=32, activations=8))
    attach_quantizers(toy, bits)
    seen: list[torch.Tensor] = []
    hook = toy.filter[0].register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]), prepend=True)
    calibrate(toy, [pair], CalibrationSettings(rule="max"))
    hook.remove()
    volume, rectified = input_quantizer(toy.filter[0]), input_quantizer(toy.score)
    # differences of features are signed, though the features and what the filters put out are not
    assert volume.low < 0 == rectified.low
    widest = max(float(seen[0].max()) / (volume.low + 255), float(seen[0].min()) / volume.low)
    assert float(volume.step()) == pytest.approx(widest, rel=2**-10)


def test_the_percentile_is_a_setting() -> None:
    batch = torch.linspace(0, 1, 1000).view(125, 8)
    for percentile in (50.0, 90.0):
        network = linear(8)
        calibrate(network, [(batch,)], CalibrationSettings(rule=PercentileRuleSettings(percentile=percentile)))
        assert float(input_quantizer(network[0]).step()) == pytest.approx(percentile / 100 / 255, rel=5e-3)
    with pytest.raises(InputError, match="percentile: out of range"):
        PercentileRuleSettings(percentile=0.0)


def test_a_rare_large_value_counts_though_few_values_are_sampled() -> None:
    batch = torch.randn(5000, 8, generator=torch.Generator().manual_seed(0))
    batch[17, 3] = 30.0
    steps = []
    for samples in (400, batch.numel()):
        network = linear(6)
        calibrate(network, [(batch,)], CalibrationSettings(rule="mse", samples_per_call=samples))
        steps.append(float(input_quantizer(network[0]).step()))
    assert steps[0] == pytest.approx(steps[1], rel=0.1)


@pytest.mark.parametrize("rule", CALIBRATION_RULES)
@pytest.mark.parametrize(("mean", "low"), [(3.0, 0), (-3.0, -1)])
def test_one_bit_takes_the_side_that_matters(rule: str, mean: float, low: int) -> None:
    network = linear(1)
    batch = torch.randn(50, 8, generator=torch.Generator().manual_seed(0)) + mean
    calibrate(network, [(batch,)], CalibrationSettings(rule=rule))
    quantizer = input_quantizer(network[0])
    assert quantizer.low == low
    assert float(quantizer.step()) > 0
    assert set((quantizer(batch) / quantizer.step()).unique().tolist()) <= {float(low), float(low + 1)}
