"""A packed network with an integer and a float layer."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, PackedNetwork, effective_weight


def example() -> PackedNetwork:
    rng = np.random.default_rng(0)
    codes = np.where(rng.random((32, 16, 3, 3)) < 0.05, rng.integers(-7, 8, (32, 16, 3, 3)), 0)
    codes[3] = 0
    steps = rng.uniform(0.01, 0.02, 32).astype(np.float16)
    values = np.where(rng.random((4, 8, 3, 3)) < 0.3, rng.normal(size=(4, 8, 3, 3)), 0).astype(np.float32)
    return PackedNetwork(
        layers=(
            PackedLayer(name="tower.0", codes=codes, steps=steps, bits=4),
            FloatLayer(name="head", values=values, output_axis=1),
        ),
        tensors={"tower.0.bias": rng.normal(size=32).astype(np.float16), "step": np.float32(0.1).reshape(())},
        header={"network": "reference", "settings": {"width": 16}},
    )


def same(one: PackedNetwork, other: PackedNetwork) -> bool:
    assert [(layer.name, layer.output_axis) for layer in one.layers] == [
        (layer.name, layer.output_axis) for layer in other.layers
    ]
    for first, second in zip(one.layers, other.layers, strict=True):
        assert type(first) is type(second)
        np.testing.assert_array_equal(effective_weight(first), effective_weight(second), strict=True)
    assert list(one.tensors) == list(other.tensors)
    for name, value in one.tensors.items():
        assert value.tobytes() == other.tensors[name].tobytes()
        assert (value.dtype, value.shape) == (other.tensors[name].dtype, other.tensors[name].shape)
    return one.header == other.header


@pytest.fixture(name="example")
def example_fixture():
    """A function that builds the network again."""
    return example


@pytest.fixture(name="same", scope="session")
def same_fixture():
    """A function that compares two networks bit by bit."""
    return same
