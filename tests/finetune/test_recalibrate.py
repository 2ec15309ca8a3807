"""Recalibration: running statistics are plain averages over batches, in float32."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.finetune.recalibrate import recalibrate


def test_the_statistics_are_the_averages_over_the_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(4, 3, 5, 7, generator=generator) * (1 + index) + index for index in range(3)]
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.fill_(9.0)
    recalibrate(norm, lambda module, index: module(batches[index]), 3)
    means = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in batches]).mean(dim=0)
    variances = torch.stack([batch.var(dim=(0, 2, 3)) for batch in batches]).mean(dim=0)
    torch.testing.assert_close(norm.running_mean, means)
    torch.testing.assert_close(norm.running_var, variances)
    assert norm.momentum == 0.1
    assert not norm.training


def test_a_constant_channel_trained_in_bfloat16_is_mended() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].bias.fill_(1.2345678)
    inputs = torch.ones(2, 1, 4, 4)
    for _ in range(200):
        with torch.autocast("cpu", torch.bfloat16):
            network(inputs)
    assert float(network.eval()(inputs).detach().abs().max()) > 0.03
    recalibrate(network, lambda module, _index: module(inputs), 2)
    assert float(network(inputs).detach().abs().max()) < 1e-4


def test_no_batches_change_nothing() -> None:
    norm = nn.BatchNorm2d(2)
    before = norm.running_mean.clone()
    recalibrate(norm, lambda _module, _index: None, 0)
    assert torch.equal(norm.running_mean, before)
