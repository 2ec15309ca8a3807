"""The catalogue holds what recipes accept: every listed name works, every other is refused."""

from __future__ import annotations

import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.uri import open_data
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.settings import PruneSettings
from disparsity.registries import CATALOGUE
from disparsity.stereo.networks import build_network


@pytest.mark.parametrize("slot", ["score", "scope", "schedule", "pattern"])
def test_pruning_takes_what_is_listed(slot: str) -> None:
    for name in CATALOGUE[f"{slot}s"]():
        assert getattr(PruneSettings(**{"sparsity": 0.5, slot: name}), slot) == name


def test_networks_and_profiles_can_be_opened() -> None:
    for name in CATALOGUE["networks"]():
        assert build_network(name).spec.name == name
    for name in CATALOGUE["profiles"]():
        assert load_profile(name).name


def test_data_examples_are_uris() -> None:
    for example in CATALOGUE["data"]():
        if example.startswith("synthetic:"):
            assert len(open_data(example)) > 0
        else:
            with pytest.raises(DataError, match=r"no such (folder|file)"):
                open_data(example)
