"""Storage formats of integer weights, by name: every one is really encoded, and its bytes are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.hwcost.formats import bitmap, csr, dense, huffman, run_length
from disparsity.hwcost.formats.bitstream import Codes


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format: ``encode(codes [rows, columns], bits)`` and ``decode(content, shape, bits)``."""

    encode: Callable[[Codes, int], bytes]
    decode: Callable[[bytes, tuple[int, int], int], Codes]


FORMATS: dict[str, Format] = {
    "dense": Format(encode=dense.encode, decode=dense.decode),
    "bitmap": Format(encode=bitmap.encode, decode=bitmap.decode),
    "csr": Format(encode=csr.encode, decode=csr.decode),
    "run_length": Format(encode=run_length.encode, decode=run_length.decode),
    "huffman": Format(encode=huffman.encode, decode=huffman.decode),
    "huffman_gap": Format(encode=huffman.encode_gaps, decode=huffman.decode_gaps),
}
