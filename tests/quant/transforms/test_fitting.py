"""Fitting on a toy network: moments against exact Jacobians, steps that lower the distortion of the output."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.quant.attach import attach_quantizers, input_quantizer, weight_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.quantizers.settings import Quantizer, TransformSettings, UniformSettings
from disparsity.quant.quantizers.transform import TransformWeight
from disparsity.quant.transforms.fitting import fit_transforms, gradient_moments, transform_layers
from disparsity.quant.transforms.rates import RowGrids


def toy(seed: int = 0) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """Three convolutions whose channels resemble each other, in float."""
    torch.manual_seed(seed)
    sizes = (3, 12, 12, 1)
    layers = [nn.Conv2d(given, made, 3, padding=1) for given, made in pairwise(sizes)]
    for layer in layers:
        made, given = layer.weight.shape[:2]
        mix = [torch.randn(size, size) * torch.logspace(0, -1, size) for size in (given, made)]
        mixed = torch.einsum("oihw,ij,po->pjhw", layer.weight, *mix) / made**0.5
        layer.weight.data = mixed.detach()
    return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2]).eval(), (torch.randn(2, 3, 10, 10),)


def quantized(network: nn.Module, bits: int, quantizer: Quantizer) -> nn.Module:
    chosen = {name: LayerBits(weights=bits, activations=32) for name in ("0", "2", "4")}
    result = copy.deepcopy(network)
    attach_quantizers(result, chosen, quantizer=quantizer)
    return result


def mean_errors(**cases: TransformSettings) -> dict[str, float]:
    """By case, the mean logarithm over networks of the output's squared change at 3 bits; `uniform` beside them."""
    sums = dict.fromkeys([*cases, "uniform"], 0.0)
    for seed in range(3):
        network, inputs = toy(seed)
        goal = network(*inputs).detach()
        for name in sums:
            changed = quantized(network, 3, cases.get(name, UniformSettings()))
            if name in cases:
                fit_transforms(changed, inputs, cases[name], torch.Generator().manual_seed(0))
            sums[name] += math.log(float((changed(*inputs) - goal).detach().square().sum())) / 3
    return sums


@pytest.mark.parametrize("side", ["row", "column"])
def test_moments_approach_those_of_the_jacobian(side: str) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2, bias=False)
    network = nn.Sequential(layer, nn.Tanh()).eval()
    settings = TransformSettings(side=side)
    attach_quantizers(network, {"0": LayerBits(weights=8, activations=32)}, quantizer=settings)
    inputs = (torch.randn(4, 3),)
    found = gradient_moments(network, transform_layers(network), inputs, 1500, torch.Generator().manual_seed(0))["0"]
    values = weight_quantizer(layer)(trained_weight(layer)).detach()
    jacobian = torch.autograd.functional.jacobian(lambda w: torch.tanh(inputs[0] @ w.T), values)  # [4, 2, 2, 3]
    mixed = jacobian.movedim(-2 if side == "column" else -1, 0).flatten(1).double()
    expected = mixed @ mixed.T
    assert float((found - expected).norm()) < 0.1 * float(expected.norm())


def test_the_elt_beats_the_klt_and_the_klt_beats_none() -> None:
    found = mean_errors(
        klt=TransformSettings(basis="klt", blocks=0),
        elt=TransformSettings(blocks=0, probes=16),
    )
    assert found["elt"] < found["klt"] - 0.2
    assert found["klt"] < found["uniform"] - 1.0


@pytest.mark.parametrize("shift", [0, 1, -1])
def test_the_steps_of_a_single_block_never_raise_the_distortion(shift: int) -> None:
    errors: list[tuple[float, float]] = []
    for seed in range(3):
        network, inputs = toy(seed)
        goal, settings = network(*inputs).detach(), TransformSettings(basis="klt", blocks=1)
        chosen = {"2": LayerBits(weights=2, activations=32)}
        attach_quantizers(network, chosen, quantizer=settings)
        (quantizer,), weight = quantizers(network), trained_weight(network[2])
        grids = quantizer.grids()
        quantizer.set_grids(RowGrids(grids.bits, grids.exponents + shift), weight)
        found = []
        for _ in range(2):
            found.append(float((network(*inputs) - goal).detach().double().square().sum()))
            fit_transforms(network, inputs, settings, torch.Generator())
        errors.append((found[0], found[1]))
    assert all(after <= before for before, after in errors)
    assert shift == 0 or any(after < before for before, after in errors)


@pytest.mark.parametrize("side", ["row", "column"])
def test_trained_weights_and_bits_stay_and_steps_move_by_at_most_a_factor_of_two(side: str) -> None:
    network, inputs = toy()
    settings = TransformSettings(side=side, basis="klt", blocks=2)
    changed = quantized(network, 3, settings)
    before = [(each.row_bits.clone(), each.exponents.clone()) for each in quantizers(changed)]
    fit_transforms(changed, inputs, settings, torch.Generator())
    for each, (bits, exponents) in zip(quantizers(changed), before, strict=True):
        assert torch.equal(each.row_bits, bits)
        assert int((each.exponents - exponents).abs().max()) <= 1
        assert each.stand_in is None
    for place in (0, 2, 4):
        assert torch.equal(trained_weight(changed[place]), network[place].weight)


def quantizers(network: nn.Module) -> list[TransformWeight]:
    return [module for module in network.modules() if isinstance(module, TransformWeight)]


def test_no_blocks_keep_the_steps_and_the_weights_of_the_klt() -> None:
    network, inputs = toy()
    settings = TransformSettings(basis="klt", blocks=0)
    changed = quantized(network, 4, settings)
    before = [each.product() for each in quantizers(changed)]
    fit_transforms(changed, inputs, settings, torch.Generator())
    assert all(torch.equal(each.product(), old) for each, old in zip(quantizers(changed), before, strict=True))


def test_without_a_transform_nothing_is_run() -> None:
    fit_transforms(nn.Linear(2, 2), (), TransformSettings(), torch.Generator())


def test_inputs_that_were_not_calibrated_are_no_obstacle() -> None:
    network, inputs = toy()
    chosen = {"2": LayerBits(weights=4, activations=8)}
    attach_quantizers(network, chosen, quantizer=TransformSettings())
    fit_transforms(network, inputs, TransformSettings(blocks=1), torch.Generator().manual_seed(0))
    activation = input_quantizer(network[2])
    assert activation is not None
    assert activation.observer is None
