"""Encoders and decoders of the storage formats: what `hwcost.formats` computes sizes of is written here bit by bit."""

from __future__ import annotations

import math

import numpy as np

from disparsity.hwcost.formats import huffman, n_of_m, run_length
from disparsity.hwcost.formats.bits import index_width

COUNT_BITS = 32


def fixed_bits(values: np.ndarray, width: int) -> np.ndarray:
    """Every value in `width` bits, two's complement: one array element per bit."""
    shifts = np.arange(width - 1, -1, -1)
    return (values.reshape(-1, 1) >> shifts & 1).astype(np.uint8).ravel()


def value_bits(values: np.ndarray, width: int) -> np.ndarray:
    """Weights in `width` bits as `fixed_bits` has them; one bit is the sign of a weight that is -1 or 1."""
    return (values < 0).astype(np.uint8).ravel() if width == 1 else fixed_bits(values, width)


def varied_bits(values: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Every value in its own width."""
    ends = np.cumsum(widths)
    place = np.repeat(ends, widths) - np.arange(int(ends[-1]) if len(ends) else 0) - 1
    return (np.repeat(values, widths) >> place & 1).astype(np.uint8)


def to_bytes(*parts: np.ndarray) -> bytes:
    """The parts one after the other, the last byte filled up with zeros."""
    return np.packbits(np.concatenate(parts)).tobytes() if parts else b""


class BitReader:
    """Reads fields from the front of a byte string."""

    def __init__(self, content: bytes) -> None:
        self.bits = np.unpackbits(np.frombuffer(content, np.uint8))
        self.at = 0

    def unsigned(self, count: int, width: int) -> np.ndarray:
        """The next `count` fields of `width` bits."""
        fields = self.bits[self.at : self.at + count * width].reshape(count, width).astype(np.int64)
        self.at += count * width
        return fields @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))

    def signed(self, count: int, width: int) -> np.ndarray:
        """The next `count` weights that `value_bits` wrote."""
        values = self.unsigned(count, width)
        if width == 1:
            return 1 - 2 * values
        return values - ((values >> (width - 1)) << width)

    def one(self, width: int) -> int:
        """The next field as an integer."""
        return int(self.unsigned(1, width)[0])


def encode_dense(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes: ``n b`` bits."""
    return to_bytes(value_bits(codes, bits))


def decode_dense(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    return BitReader(content).signed(math.prod(shape), bits).reshape(shape)


def encode_bitmap(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes."""
    return to_bytes((codes.ravel() != 0).astype(np.uint8), value_bits(codes[codes != 0], bits))


def decode_bitmap(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    reader = BitReader(content)
    nonzero = reader.unsigned(math.prod(shape), 1) == 1
    codes = np.zeros(nonzero.size, np.int64)
    codes[nonzero] = reader.signed(int(nonzero.sum()), bits)
    return codes.reshape(shape)


def encode_coo(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes: nnz, positions, values."""
    places = np.flatnonzero(codes)
    return to_bytes(
        fixed_bits(np.array([places.size]), COUNT_BITS),
        fixed_bits(places, index_width(codes.size)),
        value_bits(codes.ravel()[places], bits),
    )


def decode_coo(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    reader = BitReader(content)
    count, size = reader.one(COUNT_BITS), math.prod(shape)
    places = reader.unsigned(count, index_width(size))
    codes = np.zeros(size, np.int64)
    codes[places] = reader.signed(count, bits)
    return codes.reshape(shape)


def encode_csr(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes: nnz, row starts, columns, values; a row is a filter."""
    table = codes.reshape(len(codes), -1)
    rows, columns = np.nonzero(table)
    starts = np.searchsorted(rows, np.arange(table.shape[0] + 1))
    return to_bytes(
        fixed_bits(np.array([len(rows)]), COUNT_BITS),
        fixed_bits(starts, index_width(len(rows) + 1)),
        fixed_bits(columns, index_width(table.shape[1])),
        value_bits(table[rows, columns], bits),
    )


def decode_csr(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    reader = BitReader(content)
    count, width = reader.one(COUNT_BITS), math.prod(shape[1:])
    starts = reader.unsigned(shape[0] + 1, index_width(count + 1))
    columns = reader.unsigned(count, index_width(width))
    codes = np.zeros((shape[0], width), np.int64)
    codes[np.repeat(np.arange(shape[0]), np.diff(starts)), columns] = reader.signed(count, bits)
    return codes.reshape(shape)


def encode_run_length(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes, with the best run width."""
    width = run_length.best_width(run_length.run_gaps(codes), bits)
    runs, values = run_length.entries(codes, width)
    return to_bytes(
        fixed_bits(np.array([width]), 8),
        fixed_bits(np.array([len(runs)]), COUNT_BITS),
        fixed_bits(runs, width),
        value_bits(values, bits),
    )


def decode_run_length(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    reader = BitReader(content)
    width, count = reader.one(8), reader.one(COUNT_BITS)
    runs = reader.unsigned(count, width)
    return from_entries(runs, reader.signed(count, bits), shape)


def from_entries(runs: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `entries`."""
    codes = np.zeros(math.prod(shape), np.int64)
    codes[np.cumsum(runs + 1) - 1] = values
    return codes.reshape(shape)


def encode_huffman(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes: the table, then a word per code."""
    return to_bytes(*_encode_symbols(codes.ravel(), bits))


def decode_huffman(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    return _decode_symbols(BitReader(content), math.prod(shape), bits).reshape(shape)


def encode_huffman_gap(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits as bytes: runs of zeros of at most 255, and values, a table each."""
    runs, values = run_length.entries(codes, huffman.RUN_BITS)
    count = fixed_bits(np.array([len(runs)]), COUNT_BITS)
    return to_bytes(count, *_encode_symbols(runs, huffman.RUN_BITS + 1), *_encode_symbols(values, bits))


def decode_huffman_gap(content: bytes, shape: tuple[int, ...], bits: int) -> np.ndarray:
    """The inverse of `encode_gaps`."""
    reader = BitReader(content)
    count = reader.one(COUNT_BITS)
    runs = _decode_symbols(reader, count, huffman.RUN_BITS + 1)
    return from_entries(runs, _decode_symbols(reader, count, bits), shape)


def code_lengths(symbols: np.ndarray) -> dict[int, int]:
    """The length of every symbol's word; a lone symbol has length 0, since nothing has to be told."""
    unique, counts = np.unique(symbols, return_counts=True)
    return dict(zip(unique.tolist(), huffman.word_lengths(counts.tolist()), strict=True))


def _words(lengths: dict[int, int]) -> dict[int, int]:
    """The canonical words: in order of length, then symbol."""
    words, word, previous = {}, 0, 0
    for symbol, length in sorted(lengths.items(), key=lambda item: (item[1], item[0])):
        word <<= length - previous
        words[symbol] = word
        word, previous = word + 1, length
    return words


def _encode_symbols(symbols: np.ndarray, bits: int) -> tuple[np.ndarray, ...]:
    lengths = code_lengths(symbols)
    words = _words(lengths)
    unique, inverse = np.unique(symbols, return_inverse=True)
    length_of = np.array([lengths[symbol] for symbol in unique.tolist()], np.int64)
    word_of = np.array([words[symbol] for symbol in unique.tolist()], np.int64)
    return (
        fixed_bits(np.array([len(unique)]), 16),
        value_bits(unique, bits),
        fixed_bits(length_of, 6),
        varied_bits(word_of[inverse], length_of[inverse]),
    )


def _decode_symbols(reader: BitReader, count: int, bits: int) -> np.ndarray:
    size = reader.one(16)
    symbols = reader.signed(size, bits).tolist()
    lengths = dict(zip(symbols, reader.unsigned(size, 6).tolist(), strict=True))
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


def encode_n_of_m(codes: np.ndarray, bits: int) -> bytes:
    """``[filters, channels, taps]`` codes of `bits` bits as bytes: the plan, places inside the blocks, values."""
    plan = n_of_m.best_plan(codes, bits)
    lines = n_of_m.lines(codes, per_position=plan.per_position)
    blocks = np.pad(lines, ((0, 0), (0, -lines.shape[1] % plan.block))).reshape(-1, plan.block)
    # A stable sort keeps the codes of a block in order and takes zeros only where codes are missing.
    places = np.sort(np.argsort(blocks == 0, axis=1, kind="stable")[:, : plan.kept], axis=1)
    return to_bytes(
        fixed_bits(np.array([plan.block - 1]), 12),
        fixed_bits(np.array([plan.kept]), 13),
        fixed_bits(np.array([plan.per_position]).astype(np.int64), 1),
        fixed_bits(places, index_width(plan.block)),
        value_bits(np.take_along_axis(blocks, places, 1), bits),
    )


def decode_n_of_m(content: bytes, shape: tuple[int, int, int], bits: int) -> np.ndarray:
    """The inverse of `encode`."""
    reader = BitReader(content)
    block, kept, per_position = reader.one(12) + 1, reader.one(13), bool(reader.one(1))
    filters, channels, taps = shape
    count, length = (filters * taps, channels) if per_position else (filters, channels * taps)
    per_line = -(-length // block)
    blocks = np.zeros((count * per_line, block), np.int64)
    places = reader.unsigned(len(blocks) * kept, index_width(block)).reshape(len(blocks), kept)
    np.put_along_axis(blocks, places, reader.signed(places.size, bits).reshape(places.shape), 1)
    lines = blocks.reshape(count, -1)[:, :length]
    return lines.reshape(filters, taps, channels).swapaxes(1, 2) if per_position else lines.reshape(shape)


ENCODERS = {
    "dense": (encode_dense, decode_dense),
    "bitmap": (encode_bitmap, decode_bitmap),
    "coo": (encode_coo, decode_coo),
    "csr": (encode_csr, decode_csr),
    "n_of_m": (encode_n_of_m, decode_n_of_m),
    "run_length": (encode_run_length, decode_run_length),
    "huffman": (encode_huffman, decode_huffman),
    "huffman_gap": (encode_huffman_gap, decode_huffman_gap),
}
