"""Dense: every code in `bits` bits."""

from __future__ import annotations

from disparsity.hwcost.formats.bits import Codes, whole_bytes


def size(codes: Codes, bits: int) -> int:
    """Bytes of the codes: ``n b`` bits."""
    return whole_bytes(codes.size * bits)
