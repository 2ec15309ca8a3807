from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from disparsity.hwcost.models.effectual_macs import EffectualMacs, effectual_macs, measure_effectual, network_total
from disparsity.hwcost.tracing.workload import trace_workload

LAYERS = [
    (nn.Conv2d(4, 6, 3, stride=2, padding=1), (2, 4, 7, 9)),
    (nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=3), (1, 6, 7, 9)),
    (nn.Conv2d(6, 6, 3, padding="same", groups=6), (1, 6, 5, 5)),
    (nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="reflect"), (2, 4, 6, 8)),
    (nn.Conv2d(4, 6, 3, padding=1, padding_mode="replicate", groups=2), (1, 4, 6, 8)),
    (nn.Conv2d(4, 6, 5, padding="same", padding_mode="circular"), (1, 4, 6, 8)),
    (nn.Conv1d(4, 6, 3, padding=1, padding_mode="reflect"), (1, 4, 8)),
    (nn.Conv3d(2, 3, 3, padding=1, padding_mode="replicate"), (1, 2, 4, 4, 5)),
    (nn.Conv3d(2, 3, (1, 3, 3), padding=(0, 1, 1)), (1, 2, 3, 4, 5)),
    (nn.ConvTranspose3d(4, 6, 4, stride=2, padding=1, groups=2), (1, 4, 2, 3, 4)),
    (nn.ConvTranspose2d(3, 2, 3, stride=2), (2, 3, 4, 5)),
    (nn.Linear(5, 7), (2, 3, 5)),
]


def sparse(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) < 0.4)


def multiplied(layer: nn.Module, weight: torch.Tensor, values: torch.Tensor) -> int:
    """Run the layer itself on ones and zeros: every product that is 1 adds one to an output."""
    if isinstance(layer, nn.Linear):
        return int(F.linear(values, weight).sum())
    if isinstance(layer, (nn.ConvTranspose2d, nn.ConvTranspose3d)):  # uncropped: cropped products count
        run = F.conv_transpose2d if weight.dim() == 4 else F.conv_transpose3d
        return int(run(values, weight, stride=layer.stride, groups=layer.groups).sum())
    if layer.padding_mode != "zeros":  # torch pads, then the layer multiplies
        values = F.pad(values, layer._reversed_padding_repeated_twice, mode=layer.padding_mode)
        run = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[weight.dim()]
        return int(run(values, weight, groups=layer.groups).sum())
    return int(layer._conv_forward(values, weight, None).sum())


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_counts_equal_the_layer_run_on_ones_and_zeros(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with torch.no_grad():
        layer.weight.copy_(sparse(*layer.weight.shape, seed=1))
    values = sparse(*shape, seed=2)
    weights, active = (layer.weight != 0).double(), (values != 0).double()
    call = trace_workload(nn.Sequential(layer), (values,)).calls[0]
    found = effectual_macs(layer, values)
    assert (found.dense, found.by_weight) == (call.dense_macs, call.effectual_macs)
    assert found.by_both == multiplied(layer, weights, active)
    assert found.by_activation == multiplied(layer, torch.ones_like(weights), active)
    assert 0 < found.by_both < min(found.by_weight, found.by_activation) < found.dense


def test_joint_zeros_are_not_the_product_of_shares() -> None:
    """Channel 0 is always zero, and so are all weights that do not read it."""
    layer = nn.Conv2d(2, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    values = torch.zeros(1, 2, 3, 3)
    values[:, 1] = 1
    assert effectual_macs(layer, values) == EffectualMacs(dense=18, by_weight=9, by_activation=9, by_both=0)


def test_a_network_on_two_inputs_by_call() -> None:
    layer = nn.Conv2d(1, 1, 1)
    network = nn.Sequential(layer, nn.ReLU(), layer).train()
    with torch.no_grad():
        layer.weight.fill_(-1)
        layer.bias.zero_()
    inputs = [(torch.ones(1, 1, 2, 2),), (-torch.ones(1, 1, 2, 2),)]
    calls = measure_effectual(network, inputs)
    assert calls["0", 0] == EffectualMacs(dense=8, by_weight=8, by_activation=8, by_both=8)
    assert calls["0", 1] == EffectualMacs(dense=8, by_weight=8, by_activation=4, by_both=4)  # ReLU(-1) = 0
    assert network_total(calls).by_both == 12
    assert network.training
    assert not layer._forward_hooks
