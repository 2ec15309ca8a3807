"""Huffman codes: of the codes themselves, and of runs and values apart, as Deep Compression stores them.

The canonical code is rebuilt from the code lengths, so that the table stored is a symbol and a length each.
Source: D. Huffman, 1952; Han et al., Deep Compression, ICLR 2016, section 4.
"""

from __future__ import annotations

import heapq

import numpy as np

from disparsity.hwcost.formats.bits import Codes, whole_bytes
from disparsity.hwcost.formats.run_length import entries

_TABLE_BITS, _LENGTH_BITS, _COUNT_BITS = 16, 6, 32
RUN_BITS = 8


def size(codes: Codes, bits: int) -> int:
    """Bytes of the table, and of a word per code."""
    return whole_bytes(_symbols_bits(codes, bits))


def size_gaps(codes: Codes, bits: int) -> int:
    """Bytes of runs of zeros of at most 255 and of the values after them, with a table each."""
    runs, values = entries(codes, RUN_BITS)
    return whole_bytes(_COUNT_BITS + _symbols_bits(runs, RUN_BITS + 1) + _symbols_bits(values, bits))


def word_lengths(counts: list[int]) -> list[int]:
    """The depth of every leaf of Huffman's tree, given how often each symbol occurs."""
    heap = [(count, node) for node, count in enumerate(counts)]
    heapq.heapify(heap)
    parents = [0] * max(2 * len(counts) - 1, 0)
    for node in range(len(counts), len(parents)):
        (first, one), (second, other) = heapq.heappop(heap), heapq.heappop(heap)
        parents[one] = parents[other] = node
        heapq.heappush(heap, (first + second, node))
    depths = [0] * len(parents)
    for node in range(len(parents) - 2, -1, -1):
        depths[node] = depths[parents[node]] + 1
    return depths[: len(counts)]


def _symbols_bits(symbols: Codes, bits: int) -> int:
    counts = np.unique(symbols, return_counts=True)[1]
    words = int(counts @ np.array(word_lengths(counts.tolist()), np.int64)) if counts.size else 0
    return _TABLE_BITS + counts.size * (bits + _LENGTH_BITS) + words
