from __future__ import annotations

import math

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.hwcost.codec.range_coder import Decoder, Encoder

pytestmark = pytest.mark.usefixtures("compiled")

steps = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 65535)), max_size=400)


def encoded(pairs: list[tuple[int, int]]) -> bytes:
    encoder = Encoder()
    for bit, probability in pairs:
        assert encoder.code(bit, probability) == bit
    return encoder.finish()


@given(steps)
def test_decodes_what_was_encoded(pairs: list[tuple[int, int]]) -> None:
    decoder = Decoder(encoded(pairs))
    assert [decoder.code(0, probability) for _, probability in pairs] == [bit for bit, _ in pairs]


@given(st.integers(0, 1), st.sampled_from([1, 2, 32768, 65534, 65535]), st.integers(1, 3000))
def test_long_runs_and_carries(bit: int, probability: int, count: int) -> None:
    pairs = [(bit, probability)] * count + [(1 - bit, probability)]
    decoder = Decoder(encoded(pairs))
    assert [decoder.code(0, probability) for _ in pairs] == [given for given, _ in pairs]


@given(steps)
def test_length_is_the_information_and_at_most_two_bytes(pairs: list[tuple[int, int]]) -> None:
    information = -sum(math.log2((p if bit else 65536 - p) / 65536) for bit, p in pairs)
    assert len(encoded(pairs)) <= information / 8 + 2


def test_as_short_as_an_independent_range_coder() -> None:
    rng = np.random.default_rng(0)
    bits = (rng.random(20_000) < 0.1).astype(np.int32)
    oracle = constriction.stream.queue.RangeEncoder()
    oracle.encode(bits, constriction.stream.model.Bernoulli(0.1))
    ours = encoded([(int(bit), round(0.1 * 65536)) for bit in bits])
    assert abs(len(ours) - oracle.num_bits() / 8) <= 8
