"""Storage formats of integer weights, by name: the bytes that an encoder writes, without writing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.hwcost.formats import bitmap, coo, csr, dense, huffman, n_of_m, run_length
from disparsity.hwcost.formats.bits import Codes


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        size: ``(codes [output channels, input channels, taps], bits)`` to bytes.
        stores_zeros: whether words are written for codes that are 0.

    """

    size: Callable[[Codes, int], int]
    stores_zeros: bool = True

    def width(self, codes: Codes, bits: int) -> int:
        """The bits of a word: a sign alone, which codes of 1 bit are, has no word for 0."""
        return 2 if bits == 1 and self.stores_zeros and not codes.all() else bits


FORMATS: dict[str, Format] = {
    "dense": Format(size=dense.size),
    "bitmap": Format(size=bitmap.size, stores_zeros=False),
    "coo": Format(size=coo.size, stores_zeros=False),
    "csr": Format(size=csr.size, stores_zeros=False),
    "n_of_m": Format(size=n_of_m.size),
    "run_length": Format(size=run_length.size),
    "huffman": Format(size=huffman.size),
    "huffman_gap": Format(size=huffman.size_gaps),
}
