from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.bits import LayerBits, grid


def test_grids_by_hand() -> None:
    assert grid(1, signed=True) == (-1, 1)
    assert grid(2, signed=True) == (-1, 1)
    assert grid(1, signed=False) == (0, 1)
    assert grid(8, signed=True) == (-127, 127)
    assert grid(2, signed=False) == (0, 3)
    assert grid(8, signed=False) == (0, 255)


@pytest.mark.parametrize("bits", [0, 17, 31, -4, 4.0, True, "4", None])
def test_impossible_widths_are_refused(bits: object) -> None:
    with pytest.raises(InputError, match="weight bits out of range"):
        LayerBits(weights=bits, activations=8)  # type: ignore[arg-type]


def test_float_is_a_width() -> None:
    assert LayerBits(weights=32, activations=2).weights == 32
