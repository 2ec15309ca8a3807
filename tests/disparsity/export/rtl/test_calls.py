from __future__ import annotations

from pathlib import Path

import torch

from disparsity.checkpoint.restore import open_network
from disparsity.export.rtl.calls import GoldenCall, run_golden
from disparsity.quant.integer.network import integer_form, integer_layers


def test_every_call_in_order_and_nothing_is_left_behind(deployable: Path) -> None:
    network = integer_form(open_network(str(deployable), None))
    views = torch.rand(2, 1, 3, 16, 32).unbind()
    calls: list[GoldenCall] = []
    host = run_golden(network, *views, calls.append)
    layers = integer_layers(network)
    assert {call.layer for call in calls} == set(layers)
    assert all(layer.observer is None for layer in layers.values())
    first = calls[0]
    layer = layers[first.layer]
    codes = layer.input_codes(torch.from_numpy(first.inputs))
    assert torch.equal(codes, torch.from_numpy(first.codes))
    assert torch.equal(layer.rescale(layer.accumulate(codes)), torch.from_numpy(first.outputs))
    assert any(operator == "_softmax" for _, operator in host)
