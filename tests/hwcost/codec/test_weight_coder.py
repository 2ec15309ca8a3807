from __future__ import annotations

import math

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.range_coder import Decoder, Encoder
from disparsity.hwcost.codec.weight_coder import code_positions
from disparsity.hwcost.models.entropy import entropy_bits

pytestmark = pytest.mark.usefixtures("compiled")

FULL = 2**63 - 1
shapes = st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple)
weights = shapes.flatmap(
    lambda shape: hnp.arrays(
        np.int64, shape, elements=st.one_of(st.just(0), st.integers(-7, 7), st.integers(-FULL - 1, FULL))
    )
)


def encoded(layers: list[np.ndarray], *, sizes: bool = True) -> bytes:
    encoder = Encoder()
    model = LogisticModel(encoder)
    for layer in layers:
        code_positions(model, layer.flatten(), layer.shape, sizes=sizes)
    return encoder.finish()


def decoded(content: bytes, shapes: list[tuple[int, ...]], *, sizes: bool = True) -> list[np.ndarray]:
    model = LogisticModel(Decoder(content))
    layers = []
    for shape in shapes:
        values = np.zeros(math.prod(shape), np.int64)
        code_positions(model, values, shape, sizes=sizes)
        layers.append(values.reshape(shape))
    return layers


@given(st.lists(weights, min_size=1, max_size=3))
def test_any_integers_come_back(layers: list[np.ndarray]) -> None:
    back = decoded(encoded(layers), [layer.shape for layer in layers])
    assert all(np.array_equal(one, other) for one, other in zip(layers, back, strict=True))


@given(weights)
def test_positions_alone_come_back(layer: np.ndarray) -> None:
    (back,) = decoded(encoded([layer], sizes=False), [layer.shape], sizes=False)
    assert np.array_equal(back, layer != 0)


def unstructured(shape: tuple[int, ...], density: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, 8, shape) * rng.choice([-1, 1], shape)
    return np.where(rng.random(shape) < density, codes, 0)


@pytest.mark.parametrize(
    ("shape", "density"),
    [
        ((32, 32, 3, 3, 3), 0.025),
        ((32, 32, 3, 3, 3), 0.5),
        ((32, 864), 0.025),
        ((32, 32, 5, 5), 0.1),
        ((64, 64, 3, 3), 0.02),
    ],
)
def test_without_structure_within_two_percent_of_the_bound(shape: tuple[int, ...], density: float) -> None:
    codes = unstructured(shape, density)
    assert len(encoded([codes])) <= 1.02 * entropy_bits(codes) / 8 + 12


def test_an_independent_coder_that_knows_the_histogram_is_hardly_shorter() -> None:
    codes = unstructured((32, 32, 3, 3, 3), 0.05)
    symbols = (codes.ravel() + 7).astype(np.int32)
    histogram = np.bincount(symbols, minlength=15).astype(np.float64)
    model = constriction.stream.model.Categorical(np.maximum(histogram, 1e-3) / histogram.sum(), perfect=False)
    oracle = constriction.stream.queue.RangeEncoder()
    oracle.encode(symbols, model)
    assert len(encoded([codes])) <= 1.02 * oracle.num_bits() / 8 + 12


def test_uneven_filters_and_channels_go_far_below_the_bound() -> None:
    rng = np.random.default_rng(1)
    odds = -4.5 + 1.5 * rng.normal(size=(64, 1, 1, 1)) + 1.5 * rng.normal(size=(1, 64, 1, 1)) + np.zeros((1, 1, 3, 3))
    codes = np.where(rng.random(odds.shape) < 1 / (1 + np.exp(-odds)), rng.choice([-1, 1], odds.shape), 0)
    assert len(encoded([codes])) < 0.85 * entropy_bits(codes) / 8


def test_empty_filters_and_channels_cost_next_to_nothing() -> None:
    codes = unstructured((32, 32, 3, 3), 0.2)
    codes[::2] = 0
    codes[:, 1::4] = 0
    alive = codes[1::2][:, [channel for channel in range(32) if channel % 4 != 1]]
    assert len(encoded([codes])) <= len(encoded([alive])) + 12


def test_an_empty_layer_costs_a_byte_or_so() -> None:
    assert len(encoded([np.zeros((64, 64, 3, 3), np.int64)])) <= 12
