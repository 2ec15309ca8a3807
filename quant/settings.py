"""Settings of bit widths, by kind of layer and by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from disparsity.base.settings import settings
from disparsity.base.settings_errors import Mistake
from disparsity.quant.bits import FLOAT_BITS, MAX_BITS, MIN_BITS, Bits


def parse_pattern(entry: str) -> tuple[str, int, int | None]:
    """A pattern of layer names, its weight bits and its activation bits (None leaves them).

    Raises:
        Mistake: the entry is of another form, or no quantizer has that many bits.

    """
    pattern, _, widths = entry.rpartition("=")
    weights, slash, activations = widths.partition("/")
    if not pattern or not weights.isdecimal() or bool(slash) != activations.isdecimal():
        expected = "PATTERN=WEIGHTS or PATTERN=WEIGHTS/ACTIVATIONS"
        raise Mistake("not a pattern with its bits", found=entry, expected=expected)
    for width in (weights, activations) if slash else (weights,):
        if not (MIN_BITS <= int(width) <= MAX_BITS or int(width) == FLOAT_BITS):
            raise Mistake(
                "bits out of range", found=entry, expected=f"{MIN_BITS}..{MAX_BITS}, or {FLOAT_BITS} for float"
            )
    return pattern, int(weights), int(activations) if slash else None


def _checked(entry: str) -> str:
    parse_pattern(entry)
    return entry


@settings
class BitSettings:
    """Bit widths by kind of layer and by name.

    Attributes:
        weight_bits: of every layer that is not named otherwise.
        activation_bits: of every layer input that is not named otherwise.
        first_bits: of weights and input of the first layers, which see the image.
        last_bits: of weights and input of the protected layers, whose output is the disparity.
        wide_bits: of inputs that mix ranges, such as disparity in pixels beside colours.
        layer_bits: bits of single layers as `PATTERN=WEIGHTS` or `PATTERN=WEIGHTS/ACTIVATIONS`, e.g. `refine.*=6/8`;
            they win over everything else, the last match over earlier ones.

    """

    weight_bits: Bits = 4
    activation_bits: Bits = 8
    first_bits: Bits = 8
    last_bits: Bits = 8
    wide_bits: Bits = 16
    layer_bits: tuple[Annotated[str, AfterValidator(_checked)], ...] = ()

    def patterns(self) -> list[tuple[str, int, int | None]]:
        """`layer_bits` as a pattern, its weight bits and its activation bits (None leaves them)."""
        return [parse_pattern(entry) for entry in self.layer_bits]
