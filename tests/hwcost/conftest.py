"""Records of layers for the cost formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from disparsity.hwcost.codec.packed_network import PackedLayer, PackedNetwork
from disparsity.hwcost.codec.packing import pack
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits


def traced(layer: nn.Module, *shape: int, weights: int = 32, activations: int = 32) -> LayerCall:
    """The record of one layer on an input of the given shape."""
    bits = {"0": LayerBits(weights=weights, activations=activations)}
    return trace_workload(nn.Sequential(layer), (torch.zeros(shape),), bits).calls[0]


@pytest.fixture(scope="session")
def trace_layer():
    """`traced`, for tests that build their own layer."""
    return traced


@pytest.fixture(scope="session")
def anchors() -> dict[str, LayerCall]:
    """The four reference layers of the cost model's golden values, at 4-bit weights and 8-bit activations."""
    return {
        "L1": traced(nn.Conv2d(3, 16, 3, padding=1, bias=False), 1, 3, 32, 64, weights=4, activations=8),
        "L2": traced(nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), 1, 16, 32, 64, weights=4, activations=8),
        "L3": traced(nn.Conv2d(32, 32, 3, padding=1, bias=False), 1, 32, 16, 32, weights=4, activations=8),
        "C3D": traced(nn.Conv3d(32, 16, 3, padding=1, bias=False), 1, 32, 8, 16, 32, weights=4, activations=8),
    }


@pytest.fixture(scope="session")
def compiled() -> None:
    """Packing once, so that no timed example has to wait for the compiler."""
    layer = PackedLayer(name="a", codes=np.ones((1, 1, 3), np.int64), steps=np.ones(1, np.float16), bits=2)
    pack(PackedNetwork(layers=(layer,), tensors={}, header={}))
