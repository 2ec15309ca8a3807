"""Pruning settings that cannot be are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.pruning.settings import PruneSettings


def test_defaults_are_the_documented_ones() -> None:
    settings = PruneSettings(sparsity=0.9)
    assert (settings.score, settings.scope, settings.schedule) == ("taylor", "global", "log_density")


@pytest.mark.parametrize("name", ["score", "scope", "schedule", "pattern", "taylor_form", "normalisation"])
def test_unknown_names_list_what_exists(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown {name} 'nonsense'; expected .+"):
        PruneSettings(**{"sparsity": 0.5, name: "nonsense"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sparsity", 1.0),
        ("sparsity", -0.1),
        ("sparsity", float("nan")),
        ("events", 0),
        ("event_share", 0.0),
        ("event_share", 1.1),
        ("event_warmup", 1.0),
        ("event_warmup", -0.1),
        ("score_decay", 1.0),
        ("score_decay", -0.1),
        ("score_batches", 0),
        ("mac_power", float("nan")),
        ("mac_power", float("inf")),
        ("floor_share", -0.1),
        ("floor_share", 1.1),
        ("floor_share", float("nan")),
        ("floor_per_filter", -1.0),
        ("floor_per_filter", float("inf")),
    ],
)
def test_values_outside_their_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError):
        PruneSettings(**({"sparsity": 0.5} | {name: value}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pattern": "2:4", "sparsity": 0.4}, "sparsity below the pattern's"),
        ({"pattern": "2:4", "scope": "erk"}, "leaves no room"),
        ({"pattern": "1:4", "sparsity": 0.9, "floor_share": 0.3}, "leaves no room"),
        ({"pattern": "2:4", "floor_per_filter": 1.0}, "leaves no room"),
        ({"schedule": "cyclic", "events": 5}, "too few events"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PruneSettings(**({"sparsity": 0.5} | changes))
