"""Costs of a network: dense figures by hand, and the compressed ones against the masks themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from disparsity.base.errors import InputError
from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.checkpoint.packed import write_network
from disparsity.checkpoint.restore import open_network
from disparsity.cost import check_pixels
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.report.cost_report import cost_report
from disparsity.report.schema import parse_report, report_text
from disparsity.stereo.networks import build_network

SIZE = (32, 64)
MACHINE = Machine(profile=load_profile())


def test_a_dense_network(checkpoint: Path) -> None:
    network = open_network(str(checkpoint), None)
    report = cost_report(network, SIZE, MACHINE)
    assert parse_report(report_text(report)) == report
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, *SIZE), torch.zeros(1, 3, *SIZE))
    assert report.operations.dense_macs * 2 == counter.get_total_flops()
    assert report.operations.effectual_macs == report.operations.dense_macs
    assert report.network.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert report.hardware.reduction_percent.mac_energy == pytest.approx(0.0)
    assert report.accuracy == ()


def test_a_compressed_network_is_compared_with_its_own_dense_form(
    checkpoint: Path, quantized: Path, tmp_path: Path
) -> None:
    dense, compressed = open_network(str(checkpoint), None), open_network(str(quantized), None)
    report = cost_report(compressed, SIZE, MACHINE)
    assert parse_report(report_text(report)) == report
    assert report.network.parameters == sum(parameter.numel() for parameter in dense.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        dense(torch.zeros(1, 3, *SIZE), torch.zeros(1, 3, *SIZE))
    assert report.operations.dense_macs * 2 == counter.get_total_flops()
    alive = sum(int((effective_weight(layer) != 0).sum()) for layer in quantizable_layers(compressed).values())
    total = sum(effective_weight(layer).numel() for layer in quantizable_layers(compressed).values())
    assert alive / total < 0.25
    assert report.operations.effectual_macs < 0.6 * report.operations.dense_macs
    assert 0 < write_network(tmp_path / "p.h5", compressed) - report.memory.packed_file_bytes < 1000
    assert report.hardware.reduction_percent.mac_energy > 90


def test_too_many_pixels() -> None:
    check_pixels((8192, 8192))
    with pytest.raises(InputError, match="the input is too large; found 8193x8192"):
        check_pixels((8193, 8192))


def test_heads_that_only_training_needs_are_not_counted() -> None:
    network = build_network("gwcnet_g", max_disparity=32)
    heads = sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if any(name.startswith(f"{head}.") for head in network.spec.training_only)
    )
    assert heads > 0
    report = cost_report(network, (32, 64), Machine(profile=load_profile()))
    everything = sum(parameter.numel() for parameter in network.parameters())
    assert report.network.parameters == everything - heads
