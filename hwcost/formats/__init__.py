"""Storage formats of integer weights, by name: every one is really encoded, and its bytes are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.hwcost.formats import bitmap, coo, csr, dense, huffman, n_of_m, run_length
from disparsity.hwcost.formats.bitstream import Codes


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        encode: ``(codes [rows, columns], bits)`` to bytes.
        decode: ``(content, shape, bits)`` back to the codes.
        size: ``(codes, bits)`` to the bytes that `encode` would write, without writing them.
        stores_zeros: whether words are written for codes that are 0.

    """

    encode: Callable[[Codes, int], bytes]
    decode: Callable[[bytes, tuple[int, int], int], Codes]
    size: Callable[[Codes, int], int]
    stores_zeros: bool = True

    def width(self, codes: Codes, bits: int) -> int:
        """The bits of a word: a sign alone, which codes of 1 bit are, has no word for 0."""
        return 2 if bits == 1 and self.stores_zeros and not codes.all() else bits


FORMATS: dict[str, Format] = {
    "dense": Format(encode=dense.encode, decode=dense.decode, size=dense.size),
    "bitmap": Format(encode=bitmap.encode, decode=bitmap.decode, size=bitmap.size, stores_zeros=False),
    "coo": Format(encode=coo.encode, decode=coo.decode, size=coo.size, stores_zeros=False),
    "csr": Format(encode=csr.encode, decode=csr.decode, size=csr.size, stores_zeros=False),
    "n_of_m": Format(encode=n_of_m.encode, decode=n_of_m.decode, size=n_of_m.size),
    "run_length": Format(encode=run_length.encode, decode=run_length.decode, size=run_length.size),
    "huffman": Format(encode=huffman.encode, decode=huffman.decode, size=huffman.size),
    "huffman_gap": Format(encode=huffman.encode_gaps, decode=huffman.decode_gaps, size=huffman.size_gaps),
}
