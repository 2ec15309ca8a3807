"""Run length: entries of a run of zeros (r bits) and the code after it; a code of 0 prolongs an overlong run.

The width r that gives the fewest bytes is stored in front, in a byte. Zeros at the end are not stored.
Source: Chen et al., Eyeriss, JSSC 2017, section V-E, with free widths.
"""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bits import Codes, whole_bytes

WIDTHS = range(1, 17)
_WIDTH_BITS, _COUNT_BITS = 8, 32


def size(codes: Codes, bits: int) -> int:
    """Bytes of the run width, the number of entries, and the entries."""
    gaps = run_gaps(codes)
    width = best_width(gaps, bits)
    return whole_bytes(_WIDTH_BITS + _COUNT_BITS + entry_count(gaps, width) * (width + bits))


def best_width(gaps: Codes, bits: int) -> int:
    """The run width that gives the fewest bits."""
    return min(WIDTHS, key=lambda width: entry_count(gaps, width) * (width + bits))


def run_gaps(codes: Codes) -> Codes:
    """The zeros in front of every code that is not 0, in row order."""
    return np.diff(np.flatnonzero(codes), prepend=-1) - 1


def entry_count(gaps: Codes, width: int) -> int:
    """Entries at a run width: one per code, and one for every full ``2^width`` zeros."""
    return int(gaps.size + (gaps >> width).sum())


def entries(codes: Codes, width: int) -> tuple[Codes, Codes]:
    """Runs and the codes after them; a prolonging entry is ``(2^width - 1, 0)``."""
    gaps, nonzero = run_gaps(codes), codes[codes != 0]
    ends = np.cumsum((gaps >> width) + 1) - 1
    total = int(ends[-1]) + 1 if len(ends) else 0
    runs, values = np.full(total, (1 << width) - 1, np.int64), np.zeros(total, np.int64)
    runs[ends] = gaps & ((1 << width) - 1)
    values[ends] = nonzero
    return runs, values
