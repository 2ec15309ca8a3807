"""Huffman codes: of the codes themselves, and of runs and values apart, as Deep Compression stores them.

The canonical code is rebuilt from the code lengths, so that the table stored is a symbol and a length each.
Source: D. Huffman, 1952; Han et al., Deep Compression, ICLR 2016, section 4.
"""

from __future__ import annotations

import heapq

import numpy as np

from disparsity.hwcost.formats.bitstream import (
    BitReader,
    Bits,
    Codes,
    fixed_bits,
    to_bytes,
    value_bits,
    varied_bits,
    whole_bytes,
)
from disparsity.hwcost.formats.run_length import entries, from_entries

_TABLE_BITS, _LENGTH_BITS, _COUNT_BITS = 16, 6, 32
_RUN_BITS = 8


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: the table, then a word per code."""
    return to_bytes(*_encode_symbols(codes.ravel(), bits))


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    return _decode_symbols(BitReader(content), shape[0] * shape[1], bits).reshape(shape)


def encode_gaps(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: runs of zeros of at most 255, and values, a table each."""
    runs, values = entries(codes, _RUN_BITS)
    count = fixed_bits(np.array([len(runs)]), _COUNT_BITS)
    return to_bytes(count, *_encode_symbols(runs, _RUN_BITS + 1), *_encode_symbols(values, bits))


def decode_gaps(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode_gaps`."""
    reader = BitReader(content)
    count = reader.one(_COUNT_BITS)
    runs = _decode_symbols(reader, count, _RUN_BITS + 1)
    return from_entries(runs, _decode_symbols(reader, count, bits), shape)


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    return whole_bytes(_symbols_bits(codes, bits))


def size_gaps(codes: Codes, bits: int) -> int:
    """Bytes that `encode_gaps` writes, by the formula."""
    runs, values = entries(codes, _RUN_BITS)
    return whole_bytes(_COUNT_BITS + _symbols_bits(runs, _RUN_BITS + 1) + _symbols_bits(values, bits))


def code_lengths(symbols: Codes) -> dict[int, int]:
    """The length of every symbol's word; a lone symbol has length 0, since nothing has to be told."""
    unique, counts = np.unique(symbols, return_counts=True)
    return dict(zip(unique.tolist(), word_lengths(counts.tolist()), strict=True))


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


def _words(lengths: dict[int, int]) -> dict[int, int]:
    """The canonical words: in order of length, then symbol."""
    words, word, previous = {}, 0, 0
    for symbol, length in sorted(lengths.items(), key=lambda item: (item[1], item[0])):
        word <<= length - previous
        words[symbol] = word
        word, previous = word + 1, length
    return words


def _encode_symbols(symbols: Codes, bits: int) -> tuple[Bits, ...]:
    lengths = code_lengths(symbols)
    words = _words(lengths)
    unique, inverse = np.unique(symbols, return_inverse=True)
    length_of = np.array([lengths[symbol] for symbol in unique.tolist()], np.int64)
    word_of = np.array([words[symbol] for symbol in unique.tolist()], np.int64)
    return (
        fixed_bits(np.array([len(unique)]), _TABLE_BITS),
        value_bits(unique, bits),
        fixed_bits(length_of, _LENGTH_BITS),
        varied_bits(word_of[inverse], length_of[inverse]),
    )


def _decode_symbols(reader: BitReader, count: int, bits: int) -> Codes:
    size = reader.one(_TABLE_BITS)
    symbols = reader.signed(size, bits).tolist()
    lengths = dict(zip(symbols, reader.unsigned(size, _LENGTH_BITS).tolist(), strict=True))
    lookup = {(lengths[symbol], word): symbol for symbol, word in _words(lengths).items()}
    stream, at = reader.bits.tolist(), reader.at
    decoded = np.empty(count, np.int64)
    for index in range(count):
        length = word = 0
        while (length, word) not in lookup:
            word = word << 1 | stream[at]
            length, at = length + 1, at + 1
        decoded[index] = lookup[length, word]
    reader.at = at
    return decoded
