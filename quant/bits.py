"""Bit widths of a layer, and the integer grid of a bit width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from disparsity.base.errors import InputError
from disparsity.base.settings_errors import Mistake

MIN_BITS = 1
MAX_BITS = 16
FLOAT_BITS = 32
"""This many bits means: left in float."""


@dataclass(frozen=True, kw_only=True)
class LayerBits:
    """Bit widths of one layer.

    Attributes:
        weights: 1..16, or 32 for float.
        activations: of the layer's input, 1..16, or 32 for float.

    """

    weights: int
    activations: int

    def __post_init__(self) -> None:
        """Refuse widths that no quantizer has."""
        check_bits(self.weights, what="weight bits")
        check_bits(self.activations, what="activation bits")


def check_bits(bits: int, *, what: str) -> None:
    """Refuse a bit width outside of what the quantizers support.

    Raises:
        InputError: `bits` is not an integer in 1..16 and not 32.

    """
    integer = isinstance(bits, int) and not isinstance(bits, bool)
    if not integer or not (MIN_BITS <= bits <= MAX_BITS or bits == FLOAT_BITS):
        raise InputError(
            f"{what} out of range", found=bits, expected=f"{MIN_BITS}..{MAX_BITS}, or {FLOAT_BITS} for float"
        )


def _checked(bits: int) -> int:
    if not (MIN_BITS <= bits <= MAX_BITS or bits == FLOAT_BITS):
        raise Mistake("out of range", found=bits, expected=f"{MIN_BITS}..{MAX_BITS}, or {FLOAT_BITS} for float")
    return bits


Bits = Annotated[int, AfterValidator(_checked)]
"""The type of a setting that is a bit width."""


def offset_grid(bits: int, low: int) -> tuple[int, int]:
    """The lowest and highest of ``2^bits`` integer codes that start at `low`."""
    return low, low + 2**bits - 1


def grid(bits: int, *, signed: bool) -> tuple[int, int]:
    """The lowest and highest integer code.

    Signed grids are symmetric, ``-(2^(b-1)-1) .. 2^(b-1)-1``, so that negating a tensor negates its codes and 2 bits
    are ternary; 1 bit is a sign, -1 or 1, and what is exactly 0 stays 0. Unsigned grids are ``0 .. 2^b-1``.
    """
    if signed:
        high = max(1, 2 ** (bits - 1) - 1)
        return -high, high
    return 0, 2**bits - 1
