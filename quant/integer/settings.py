"""Widths of the integer execution."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.base.errors import InputError

_RANGE = (8, 32)


@dataclass(frozen=True, kw_only=True)
class IntegerSettings:
    """How wide the registers are, sign included.

    Attributes:
        accumulator_bits: of the sums of products, 8..32.
        output_bits: of a layer's output, 8..32.

    """

    accumulator_bits: int = 32
    output_bits: int = 32

    def __post_init__(self) -> None:
        """Refuse widths that the arithmetic does not have."""
        for name in ("accumulator_bits", "output_bits"):
            low, high = _RANGE
            found = getattr(self, name)
            if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
                raise InputError(f"{name} out of range", found=found, expected=f"{low}..{high}")
