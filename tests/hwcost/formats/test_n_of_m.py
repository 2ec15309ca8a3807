"""N:M against masks of the pruning pattern itself: N/M of the codes, and the bits of a place in a block each."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from disparsity.base.layers import channel_axis
from disparsity.hwcost.formats import FORMATS, n_of_m
from disparsity.hwcost.models.storage import weight_rows
from disparsity.pruning.n_of_m import GroupLaw

HEADER_BITS = 26
LAYERS = {
    "3x3": nn.Conv2d(32, 32, 3),
    "7x7": nn.Conv2d(32, 32, 7),
    "4x4 transposed": nn.ConvTranspose2d(32, 32, 4, 2, 1),
    "1x5": nn.Conv2d(32, 32, (1, 5)),
    "2x2": nn.Conv2d(32, 32, 2),
    "3x3x3": nn.Conv3d(32, 32, 3),
    "4x4x4 transposed": nn.ConvTranspose3d(32, 32, 4),
    "1x3x3": nn.Conv3d(32, 32, (1, 3, 3)),
    "5x5x5": nn.Conv3d(32, 16, 5),
    "1x1": nn.Conv2d(32, 32, 1),
    "linear": nn.Linear(64, 32),
}


def pruned(layer: nn.Module, kept: int, block: int) -> np.ndarray:
    """Codes 1..7 where the pattern keeps a weight, as storage has them."""
    scores = torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(0))
    mask = GroupLaw(kept, block, {"0": layer}).allowed({"0": scores}, kept)["0"].numpy()
    codes = np.random.default_rng(0).integers(1, 8, mask.shape) * mask
    return weight_rows(codes, channel_axis(layer))


def expected_bytes(rows: np.ndarray, kept: int, block: int, bits: int) -> int:
    """Filters x positions x blocks of channels, with N codes and N places each."""
    filters, channels, taps = rows.shape
    codes = filters * taps * math.ceil(channels / block) * kept
    return math.ceil((HEADER_BITS + codes * (bits + math.ceil(math.log2(block)))) / 8)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=list(LAYERS))
def test_two_of_four_in_every_kernel(layer: nn.Module) -> None:
    rows = pruned(layer, 2, 4)
    assert FORMATS["n_of_m"].size(rows, 4) == math.ceil((HEADER_BITS + rows.size // 2 * (4 + 2)) / 8)


@pytest.mark.parametrize(("kept", "block"), [(1, 3), (3, 6), (2, 5), (1, 32), (1, 2), (2, 8), (4, 16), (1, 7), (1, 64)])
def test_any_pattern(kept: int, block: int) -> None:
    rows = pruned(nn.Conv2d(64, 32, 3), kept, block)
    assert FORMATS["n_of_m"].size(rows, 4) == expected_bytes(rows, kept, block, 4)


@given(
    st.sampled_from([(1,), (2, 3), (1, 1), (4, 4), (1, 7), (3, 1, 2)]),
    st.integers(1, 4),
    st.integers(2, 12),
    st.integers(1, 3),
    st.integers(2, 9),
)
def test_no_pattern_takes_more_than_its_own_blocks(
    kernel: tuple[int, ...], kept: int, block: int, groups: int, bits: int
) -> None:
    kept = min(kept, block - 1)
    convolution = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[len(kernel)]
    rows = pruned(convolution(groups * block, 5, kernel), kept, block)
    assert FORMATS["n_of_m"].size(rows, bits) <= expected_bytes(rows, kept, block, bits)


def test_blocks_along_the_whole_filter() -> None:
    rows = np.zeros((4, 5, 9), np.int64)
    rows.reshape(4, 45)[:, ::3] = 3  # one of three neighbours, whatever channel they belong to
    plan = n_of_m.best_plan(rows, 4)
    assert plan == n_of_m.Plan(kept=1, block=3, per_position=False)
    assert FORMATS["n_of_m"].size(rows, 4) == math.ceil((HEADER_BITS + 4 * 15 * (4 + 2)) / 8)


def test_a_layer_without_zeros_takes_a_bit_more_per_code_and_an_empty_one_its_header() -> None:
    full = np.ones((3, 5, 9), np.int64)
    assert FORMATS["n_of_m"].size(full, 4) == math.ceil((HEADER_BITS + 3 * 46 * 5) / 8)
    assert FORMATS["n_of_m"].size(0 * full, 4) == math.ceil(HEADER_BITS / 8)
