"""Measuring on the first pairs of a data set: how many, which part of them, and when it is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation import activation_statistics
from disparsity.evaluation.activation_statistics import observe_cheaply, observe_data
from disparsity.hwcost.models.effectual_macs import network_total

PAIRS = "synthetic:?pairs=3&size=32x64&seed=9&max_disparity=16"


def test_the_first_pairs_are_measured(quantized: Path) -> None:
    network = open_network(str(quantized), None)
    one, two = observe_data(network, PAIRS), observe_data(network, PAIRS, pairs=2)
    assert (one.pairs, two.pairs, one.size, one.cropped, one.data) == (1, 2, (32, 64), False, PAIRS)
    first, both = network_total(dict(one.macs)), network_total(dict(two.macs))
    assert both.dense == 2 * first.dense
    assert 0 < first.by_both < first.by_weight < first.dense
    assert observe_data(network, PAIRS, pairs=9).pairs == 3
    assert all(two.largest_codes[name] >= code for name, code in one.largest_codes.items())


def test_the_middle_of_a_pair_says_so(checkpoint: Path) -> None:
    seen = observe_data(open_network(str(checkpoint), None), PAIRS, window=(16, 100))
    assert (seen.size, seen.cropped) == ((16, 64), True)


def test_a_network_that_takes_too_long_is_left_alone(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = open_network(str(checkpoint), None)
    seen = observe_cheaply(network, PAIRS)
    assert seen is not None
    assert not seen.cropped
    monkeypatch.setattr(activation_statistics, "CHEAP_MACS", 1)
    assert observe_cheaply(network, PAIRS) is None


def test_no_pairs(checkpoint: Path) -> None:
    with pytest.raises(InputError, match="--pairs: no pairs to measure on; found 0"):
        observe_data(open_network(str(checkpoint), None), PAIRS, pairs=0)
