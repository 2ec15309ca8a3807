from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.quantizers.settings import QuantizerSettings


@pytest.mark.parametrize(
    ("granularity", "size", "channels", "expected"),
    [("per_channel", 16, 7, 1), ("per_tensor", 16, 7, 7), ("per_group", 3, 7, 3), ("per_group", 16, 7, 7)],
)
def test_channels_that_share_a_step(granularity: str, size: int, channels: int, expected: int) -> None:
    assert QuantizerSettings(granularity=granularity, group_size=size).channels_per_step(channels) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"granularity": "all"}, "granularity: unknown name; found all; expected per_tensor, per_channel, per_group"),
        ({"ternary_scale": "mean"}, "ternary_scale: unknown name; found mean; expected norm, initialisation"),
        ({"transform_basis": "dct"}, "transform_basis: unknown name; found dct; expected elt, klt"),
        ({"transform_side": "both"}, "transform_side: unknown name; found both; expected row, column"),
        ({"group_size": 0}, "group_size: out of range"),
        ({"percentile": 101.0}, "percentile: out of range"),
        ({"term_bits": 0}, "term_bits: out of range"),
        ({"ternary_threshold": 1.0}, "ternary_threshold: out of range"),
        ({"scale_clip": 0.0}, "scale_clip: out of range"),
        ({"mixing_bits": 1}, "mixing_bits: out of range"),
        ({"transform_blocks": -1}, "transform_blocks: out of range"),
        ({"transform_probes": 0}, "transform_probes: out of range"),
    ],
)
def test_impossible_values_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        QuantizerSettings(**wrong)
