"""Bitmap: a bit per code that says whether it is 0, then the codes that are not: ``n + nnz b`` bits."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bits import Codes, whole_bytes


def size(codes: Codes, bits: int) -> int:
    """Bytes of the bitmap and of the codes that are not 0."""
    return whole_bytes(codes.size + int(np.count_nonzero(codes)) * bits)
