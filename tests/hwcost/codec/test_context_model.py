"""The context model learns how likely bits are, from any start, and a decoder learns the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.range_coder import Decoder, Encoder

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
def test_bits_cost_little_more_than_their_entropy(chance: float) -> None:
    bits = (np.random.default_rng(0).random(5000) < chance).astype(int).tolist()
    encoder = Encoder()
    model = LogisticModel(encoder)
    for bit in bits:
        model.code(bit, 0.0, (model.named("feature", 4.0),))
    share = sum(bits) / len(bits)
    entropy = -len(bits) * (share * math.log2(share) + (1 - share) * math.log2(1 - share))
    assert entropy < 8 * len(encoder.finish()) < 1.05 * entropy + 32
    assert model.table[model.named("feature", 4.0), 0] == pytest.approx(math.log(share / (1 - share)), abs=0.4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 31)), max_size=60))
def test_symbols_come_back(symbols: list[tuple[str, int]]) -> None:
    encoder = Encoder()
    model = LogisticModel(encoder)
    assert [model.code_symbol(name, value, 5) for name, value in symbols] == [value for _, value in symbols]
    again = LogisticModel(Decoder(encoder.finish()))
    assert [again.code_symbol(name, 0, 5) for name, _ in symbols] == [value for _, value in symbols]


def test_features_keep_their_priors_when_the_table_grows() -> None:
    model = LogisticModel(Encoder())
    first = model.block("first", 3, 0.5, 0.1)
    later = model.features(5000, 2.0)
    assert model.block("first", 3, 9.0) == first
    assert model.table[first.start].tolist() == [0.0, 0.5, 0.1]
    assert model.table[later[-1]].tolist() == [0.0, 2.0, 0.0]
