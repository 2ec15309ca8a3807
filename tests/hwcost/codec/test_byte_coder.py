"""Floats and text in the adaptive stream come back, and cost less where there is something to learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.hwcost.codec.byte_coder import code_arrays, code_text
from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.range_coder import Decoder, Encoder

pytestmark = pytest.mark.usefixtures("compiled")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200).map(str.encode)
arrays = st.sampled_from([np.float16, np.float32, np.int64, np.uint8]).flatmap(
    lambda dtype: st.lists(hnp.arrays(dtype, st.integers(0, 20)), max_size=3)
)


def encoded_text(text: bytes) -> bytes:
    encoder = Encoder()
    assert code_text(LogisticModel(encoder), text) == text
    return encoder.finish()


@settings(deadline=None)
@given(texts)
def test_any_text_comes_back(text: bytes) -> None:
    assert code_text(LogisticModel(Decoder(encoded_text(text))), b"") == text


def test_a_text_that_repeats_itself_costs_little() -> None:
    assert len(encoded_text(b"conv.weight," * 200)) < 12 * 200 / 20


@settings(deadline=None)
@given(arrays)
def test_any_arrays_come_back(given_arrays: list[np.ndarray]) -> None:
    encoder = Encoder()
    code_arrays(LogisticModel(encoder), "group", [array.copy() for array in given_arrays])
    back = [np.zeros_like(array) for array in given_arrays]
    code_arrays(LogisticModel(Decoder(encoder.finish(), bytes(encoder.beside))), "group", back)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(given_arrays, back, strict=True))


def test_noise_is_stored_as_it_is_and_a_constant_is_learned() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)
    sizes = []
    for values in (noise, np.full(5000, 7, np.uint8)):
        encoder = Encoder()
        code_arrays(LogisticModel(encoder), "group", [values.copy()])
        sizes.append(len(encoder.finish()) + len(encoder.beside))
    assert sizes[0] < 5000 + 10
    assert sizes[1] < 100
