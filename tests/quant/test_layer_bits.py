from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.bits import LayerBits
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings


def test_named_layers_get_their_own_bits(toy) -> None:
    settings = BitSettings(weight_bits=3, activation_bits=4, first_bits=6, last_bits=7, wide_bits=16)
    bits = uniform_bits(toy, settings, first=["features.0"], protected=["score"], wide_inputs=["score"])
    assert bits == {
        "features.0": LayerBits(weights=6, activations=6),
        "filter.0": LayerBits(weights=3, activations=4),
        "up": LayerBits(weights=3, activations=4),
        "score": LayerBits(weights=7, activations=16),
    }


def test_unknown_names_are_refused(toy) -> None:
    with pytest.raises(InputError, match=r"protected names a layer .* found scores; did you mean 'score'"):
        uniform_bits(toy, BitSettings(), protected=["scores"])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(InputError, match="last_bits: out of range; found 0"):
        BitSettings(last_bits=0)


def test_patterns_win_and_the_last_match_counts(toy) -> None:
    entries = ("*.0=5/7", "filter.*=6", "score=8/10")
    settings = BitSettings(weight_bits=3, activation_bits=4, last_bits=7, layer_bits=entries)
    assert uniform_bits(toy, settings, protected=["score"]) == {
        "features.0": LayerBits(weights=5, activations=7),
        "filter.0": LayerBits(weights=6, activations=7),
        "up": LayerBits(weights=3, activations=4),
        "score": LayerBits(weights=8, activations=10),
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("up", "not a pattern with its bits"),
        ("=4", "not a pattern with its bits"),
        ("up=many", "not a pattern with its bits"),
        ("up=4/", "not a pattern with its bits"),
        ("up=4/x", "not a pattern with its bits"),
        ("up=4/33", "out of range"),
        ("up=0", "out of range"),
    ],
)
def test_wrong_patterns_are_refused(entry: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BitSettings(layer_bits=(entry,))


def test_a_pattern_without_a_layer_is_refused(toy) -> None:
    with pytest.raises(InputError, match=r"no layer of this name.*refine"):
        uniform_bits(toy, BitSettings(layer_bits=("refine.*=6",)))
