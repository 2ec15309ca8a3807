"""Codings of disparity: lossless or not taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.datasets.packed.disparity_codes import decode, encode


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ([0.0, 0.25, 7.99609375, 511.75], "float16"),
        ([0.0, 2047.0], "float16"),
        ([8 + 1 / 256], "uint16"),
        ([255 + 255 / 256, 1 / 256], "uint16"),
        ([256 + 1 / 256], "float32"),
        ([1 / 3], "float32"),
        ([1e-8], "float32"),
        ([70000.0], "float32"),
        ([-0.5 - 1 / 4096], "float32"),
    ],
)
def test_the_smallest_exact_coding_is_taken(values, coding):
    assert encode(np.array([values], np.float32))[0] == coding


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        hnp.arrays(np.float32, (2, 3), elements=st.floats(0, width=32, allow_nan=False, allow_infinity=False)),
        hnp.arrays(np.uint16, (2, 3)).map(lambda codes: codes.astype(np.float32) / 256),
        hnp.arrays(np.float16, (2, 3), elements=st.floats(0, 6e4, width=16)).map(
            lambda halves: halves.astype(np.float32)
        ),
    )
)
def test_every_bit_comes_back(disparity):
    coding, codes = encode(disparity)
    assert np.array_equal(decode(coding, codes).view(np.uint32), disparity.view(np.uint32))
    assert codes.nbytes == disparity.nbytes // (1 if coding == "float32" else 2)
