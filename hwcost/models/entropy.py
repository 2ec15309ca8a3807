"""Entropy bound of order 0: the lower limit for codes that treat all weights of a layer the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def entropy_bits(codes: npt.NDArray[np.int64]) -> float:
    """``n h(p) + nnz H(value | not zero)``, which is n times the entropy of the code histogram.

    A model that uses more than the histogram (which filter, which neighbours) can go below it.
    """
    counts = np.unique(codes, return_counts=True)[1].astype(float)
    return float((counts * np.log2(codes.size / counts)).sum())
