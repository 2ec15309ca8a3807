"""Position-scaled steps against hand computations on two weights, and inside training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective
from disparsity.finetune.optimizers.psgd import PSGD, nearest_grid_point, position_scale
from disparsity.finetune.optimizers.settings import GridTargetSettings, PSGDSettings, ZeroTargetSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import Trainer
from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.quantizers.settings import MaxStepSettings, UniformSettings
from disparsity.stereo.network import StereoNetwork

START, GRADIENTS = (0.5, -0.25), ((0.2, -3.0), (0.4, 1.0))


def two_weights(values: tuple[float, ...] = START) -> nn.Linear:
    layer = nn.Linear(len(values), 1, bias=False)
    layer.weight.data = torch.tensor([values])
    return layer


def steps(layer: nn.Linear, optimizer: torch.optim.Optimizer, scale: PSGDSettings) -> list[float]:
    wrapped = PSGD(optimizer, [layer], scale)
    for gradient in GRADIENTS:
        layer.weight.grad = torch.tensor([gradient])
        wrapped.step()
    return layer.weight[0].tolist()


def test_sgd_takes_the_steps_of_the_source() -> None:
    layer = two_weights()
    found = steps(layer, torch.optim.SGD([layer.weight], 0.1), PSGDSettings(strength=2.0, scale="absolute"))
    # w - 0.1 * 2|w| * g: 0.5 - 0.02 = 0.48, then 0.48 (1 - 0.08); -0.25 + 0.15 = -0.1, then -0.1 (1 + 0.2)
    assert found == pytest.approx([0.48 * 0.92, -0.12])


def test_momentum_gathers_plain_gradients() -> None:
    layer = two_weights()
    optimizer = torch.optim.SGD([layer.weight], 0.1, momentum=0.5)
    found = steps(layer, optimizer, PSGDSettings(strength=2.0, scale="absolute"))
    # the second steps are 0.1 * (0.4 + 0.5 * 0.2) and 0.1 * (1 - 0.5 * 3) before they are scaled
    assert found == pytest.approx([0.48 - 0.96 * 0.05, -0.1 + 0.2 * 0.05])


def test_adams_update_is_scaled_not_its_gradient() -> None:
    layer = two_weights()
    optimizer = torch.optim.Adam([layer.weight], 0.1, betas=(0.9, 0.99), eps=0.0)
    found = steps(layer, optimizer, PSGDSettings(strength=2.0, scale="absolute"))
    expected = []
    for weight, (first, second) in zip(START, zip(*GRADIENTS, strict=True), strict=True):
        once = weight - 2 * abs(weight) * 0.1 * math.copysign(1.0, first)
        mean = (0.9 * 0.1 * first + 0.1 * second) / (1 - 0.9**2)
        square = (0.99 * 0.01 * first**2 + 0.01 * second**2) / (1 - 0.99**2)
        expected.append(once - 2 * abs(once) * 0.1 * mean / math.sqrt(square))
    assert found == pytest.approx(expected, rel=1e-5)


def test_layer_scale_keeps_the_mean_step_of_live_weights() -> None:
    layer = two_weights((0.5, 0.0, -0.25, 0.75))
    scale = position_scale(layer, PSGDSettings(strength=1.0))
    assert scale.tolist() == [pytest.approx([1.0, 0.0, 0.5, 1.5])]
    assert not bool(position_scale(two_weights((0.0, 0.0)), PSGDSettings(strength=1.0)).any())


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_the_grid_is_the_nearest_of_all_points(bits: int) -> None:
    weight = torch.randn(40, generator=torch.Generator().manual_seed(bits))
    most = 2 ** (bits - 1) - 1
    points = [float(weight.abs().max()) / most * code for code in range(-most, most + 1)]
    expected = [min(points, key=lambda point, value=value: abs(point - value)) for value in weight.tolist()]
    assert nearest_grid_point(weight, bits).tolist() == pytest.approx(expected, abs=1e-6)
    assert nearest_grid_point(torch.zeros(3), bits).tolist() == [0.0, 0.0, 0.0]


def test_every_channel_can_have_a_grid_of_its_own() -> None:
    layer = nn.ConvTranspose2d(2, 3, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 30.0, 0.0], [0.4, -8.0, 0.0]]).view(2, 3, 1, 1)
    found = position_scale(
        layer, PSGDSettings(strength=1.0, target=GridTargetSettings(bits=3, grid="channel"), scale="absolute")
    )
    # steps 1/3, 10 and none: 0.4 is 1/15 from 1/3, -8 is 2 from -10
    assert found.flatten().tolist() == pytest.approx([0, 0, 0, 1 / 15, 2, 0], abs=1e-6)


def test_weights_on_the_grids_of_channels_lose_nothing_when_folded_and_quantized() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5)).eval()
    network[1].running_var.uniform_(0.1, 3)
    network[0].weight.data = nearest_grid_point(network[0].weight.data, 4, axis=0)
    inputs = torch.randn(2, 3, 8, 8)
    expected = network(inputs)
    fold_batchnorm(network, (inputs,))
    attach_quantizers(
        network,
        {"0": LayerBits(weights=4, activations=32)},
        quantizer=UniformSettings(initialisation=MaxStepSettings()),
    )
    # what is left is the float16 of the steps
    torch.testing.assert_close(network(inputs), expected, rtol=1e-3, atol=2e-3)


def test_a_quantized_layer_has_its_own_grid() -> None:
    layer = nn.Conv2d(2, 3, 3)
    network = nn.Sequential(layer)
    attach_quantizers(network, {"0": LayerBits(weights=3, activations=32)})
    scale = position_scale(layer, PSGDSettings(strength=2.0, target=GridTargetSettings(), scale="absolute"))
    expected: Tensor = 2 * (trained_weight(layer) - layer.weight).abs()
    assert torch.allclose(scale, expected.detach())


def test_weights_drift_towards_their_targets_and_the_loss_still_falls() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(64, 6)
    goal = torch.tensor([[1.0, 0.02, -0.7, 0.03, 0.4, -0.02]])
    results = {}
    for strength in (0.0, 1.0):
        layer = two_weights((0.5, 0.1, -0.3, -0.1, 0.3, 0.1))
        inner = torch.optim.SGD([layer.weight], 0.05)
        wrapped = PSGD(inner, [layer], PSGDSettings(strength=strength)) if strength else inner
        for _ in range(60):
            inner.zero_grad()
            (layer(inputs) - inputs @ goal.T).square().mean().backward()
            wrapped.step()
        results[strength] = layer.weight.detach()
    # the large ones arrive as with plain SGD, the small ones come close to zero and do not cross it
    assert torch.allclose(results[1.0][0, [0, 2, 4]], goal[0, [0, 2, 4]], atol=0.05)
    assert torch.equal(results[1.0].sign(), torch.tensor([[1.0, 1.0, -1.0, -1.0, 1.0, 1.0]]))
    assert float(results[1.0][0, [3, 5]].abs().max()) < 0.05


@pytest.mark.parametrize("target", [ZeroTargetSettings(), GridTargetSettings()])
def test_a_phase_of_a_recipe_scales_compressed_layers_and_nothing_else(
    network: Callable[..., StereoNetwork],
    batches: Callable[[int], Batch],
    target: ZeroTargetSettings | GridTargetSettings,
) -> None:
    moved: list[dict[str, Any]] = []
    for strength in (0.0, 1.0):
        net = network()
        before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
        psgd = PSGDSettings(strength=strength, target=target, scale="absolute") if strength else None
        settings = TrainSettings(steps=1, psgd=psgd, clip_norm=1e9)
        Trainer(net, batches, Objective(settings=settings)).run("test")
        moved.append({name: p.detach() - before[name] for name, p in net.named_parameters()})
    for name, plain in moved[0].items():
        if plain.dim() == 1:
            assert torch.equal(moved[1][name], plain)
        elif bool(plain.any()):
            assert bool((moved[1][name].abs() <= plain.abs() * 1.01 + 1e-7).all()), name
            assert not torch.equal(moved[1][name], plain)


def test_pruned_weights_stay_zero(network: Callable[..., StereoNetwork], batches: Callable[[int], Batch]) -> None:
    net = network()
    names = [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d)][:3]
    attach_masks(net, names)
    masks = {name: torch.rand_like(trained_weight(net.get_submodule(name))) > 0.5 for name in names}
    set_masks(net, masks)
    zero_pruned(net)
    run = Trainer(
        net, batches, Objective(settings=TrainSettings(steps=2, psgd=PSGDSettings(target=GridTargetSettings())))
    )
    run.run("test")
    for name, mask in masks.items():
        weight = trained_weight(net.get_submodule(name))
        assert not bool(weight[~mask].any())
        assert not bool(run.optimizer.state[weight]["exp_avg"][~mask].any())
