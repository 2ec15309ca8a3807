"""The three loops against loops in plain Python."""

import numpy as np
import pytest

from disparsity.finetune.sparse.kernels import convolve, correlate, embed


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_embed_writes_every_place(parts: int, random: np.random.Generator) -> None:
    source = random.standard_normal((2, 3, 2, 3, 4), dtype=np.float32)
    target = np.full((2, 3, 5 + 4 * 5 * 7), np.nan, np.float32)
    for part in range(parts):
        embed(part, parts, source, 5, (1, 2, 3), (4, 5, 7), target)
    assert not target[:, :, :5].any()
    expected = np.zeros((2, 3, 4, 5, 7), np.float32)
    expected[:, :, 1:3, 2:5, 3:7] = source
    np.testing.assert_array_equal(target[:, :, 5:].reshape(expected.shape), expected)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("taps", [0, 1, 3, 4, 9])
def test_convolve_adds_shifted_planes(parts: int, taps: int, random: np.random.Generator) -> None:
    planes = random.standard_normal((2, 3, 4 * 5 * 6), dtype=np.float32)
    starts = np.array([0, taps // 2, taps // 2, taps])
    plane, value = random.integers(0, 3, taps), random.standard_normal(taps).astype(np.float32)
    shift = random.integers(0, 3, (taps, 3))
    offset = (shift[:, 0] * 5 + shift[:, 1]) * 6 + shift[:, 2]
    bias = np.array([1.0, -2.0, 0.5], np.float32)
    output = np.full((2, 3, 2, 3, 4), np.nan, np.float32)
    for part in range(parts):
        convolve(part, parts, planes, starts, plane, offset, value, bias, (4, 5, 6), output)
    boxes = planes.reshape(2, 3, 4, 5, 6).astype(np.float64)
    for channel in range(3):
        expected = np.full((2, 2, 3, 4), float(bias[channel]))
        for k in range(starts[channel], starts[channel + 1]):
            z, y, x = shift[k]
            expected += value[k] * boxes[:, plane[k], z : z + 2, y : y + 3, x : x + 4]
        np.testing.assert_allclose(output[:, channel], expected, rtol=1e-5, atol=1e-5)


def test_a_long_row_is_cut_into_chunks(random: np.random.Generator) -> None:
    planes = random.standard_normal((1, 1, 5000), dtype=np.float32)
    output = np.empty((1, 1, 1, 1, 4990), np.float32)
    arguments = (np.array([0, 1]), np.array([0]), np.array([7]), np.array([2.0], np.float32), np.zeros(1, np.float32))
    convolve(0, 1, planes, *arguments, (1, 1, 5000), output)
    np.testing.assert_array_equal(output[0, 0, 0, 0], 2.0 * planes[0, 0, 7:4997])
    gradient, sums = random.standard_normal((1, 1, 4990), dtype=np.float32), np.empty(1)
    correlate(0, 1, gradient, 0, 4990, planes, np.array([0, 1]), np.array([0]), np.array([7]), sums)
    expected = float(gradient[0, 0].astype(np.float64) @ planes[0, 0, 7:4997].astype(np.float64))
    assert sums[0] == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("parts", [1, 2])
def test_correlate_is_the_product_of_gradient_and_plane(parts: int, random: np.random.Generator) -> None:
    planes = random.standard_normal((3, 2, 50), dtype=np.float32)
    gradient = random.standard_normal((3, 4, 45), dtype=np.float32)
    starts, plane, offset = np.array([0, 1, 1, 3, 4]), np.array([0, 1, 0, 1]), np.array([3, 0, 5, 2])
    sums = np.full(4, np.nan)
    for part in range(parts):
        correlate(part, parts, gradient, 4, 40, planes, starts, plane, offset, sums)
    outputs = [0, 2, 2, 3]
    for k in range(4):
        expected = np.sum(
            gradient[:, outputs[k], 4:44].astype(np.float64) * planes[:, plane[k], offset[k] : offset[k] + 40]
        )
        assert sums[k] == pytest.approx(expected, rel=1e-4, abs=1e-4)
