"""Settings of the quantizers: who shares a step, what is out of range, who takes other widths."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.choice import names_of
from disparsity.base.errors import InputError
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import (
    LSQSettings,
    PerChannelSettings,
    PerGroupSettings,
    PerTensorSettings,
    PowerOfTwoSettings,
    QuantizerSettings,
    UniformSettings,
    quantizer_for,
)


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        (PerChannelSettings(), 1),
        (PerTensorSettings(), 7),
        (PerGroupSettings(size=3), 3),
        (PerGroupSettings(size=16), 7),
    ],
)
def test_channels_that_share_a_step(granularity: Any, expected: int) -> None:
    assert granularity.channels_per_step(7) == expected


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("lsq", {"granularity": "all"}, "granularity: unknown name 'all'; expected per_tensor, per_channel, per_group"),
        ("lsq", {"granularity": {"name": "per_group", "size": 0}}, "granularity.size: out of range"),
        ("lsq", {"granularity": {"size": 4}}, "granularity: per_channel does not read the key 'size'; .*per_group"),
        ("lsq", {"initialisation": {"name": "percentile", "percentile": 101.0}}, "initialisation.percentile: out of"),
        ("lsq", {"initialisation": {"percentile": 99.0}}, "initialisation: mse does not read the key 'percentile'"),
        ("lsq", {"other": "uniform"}, "unknown key 'other'"),
        ("ternary", {"other": "transform"}, "other: unknown name 'transform'; expected lsq, uniform"),
        ("ternary", {"scale": "least"}, "scale: unknown name 'least'; expected mse, mean, max, percentile, norm"),
        ("ternary", {"threshold": 1.0}, "threshold: out of range; found 1.0; expected 0 or more, below 1"),
        ("transform", {"basis": "dct"}, "basis: unknown name 'dct'; expected elt, klt"),
        ("transform", {"side": "both"}, "side: unknown name 'both'; expected row, column"),
        ("transform", {"mixing_bits": 1}, "mixing_bits: out of range"),
        ("transform", {"blocks": -1}, "blocks: out of range"),
        ("transform", {"probes": 0}, "probes: out of range"),
        ("additive_power_of_two", {"term_bits": 0}, "term_bits: out of range; found 0; expected 1..15"),
        ("scale_clip", {"scale": 0.0}, "scale: out of range; found 0.0; expected above 0, at most 100"),
    ],
)
def test_impossible_values_are_named(name: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        QUANTIZERS[name].settings(**wrong)


def test_every_quantizer_has_settings_of_its_own() -> None:
    assert list(QUANTIZERS) == names_of(QuantizerSettings)
    assert [builder.settings().name for builder in QUANTIZERS.values()] == list(QUANTIZERS)


def test_another_quantizer_takes_the_bits_that_one_does_not_have() -> None:
    chosen = PowerOfTwoSettings(other=UniformSettings())
    assert quantizer_for(4, chosen) is chosen
    assert quantizer_for(8, chosen) == UniformSettings()
    assert quantizer_for(32, chosen) is chosen
    assert quantizer_for(16, LSQSettings()) == LSQSettings()
