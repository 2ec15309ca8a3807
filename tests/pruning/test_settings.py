"""Pruning settings that cannot be are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.pruning.settings import NOfMSettings, PruneSettings


def test_defaults_are_the_documented_ones() -> None:
    settings = PruneSettings(sparsity=0.9)
    names = (settings.score.name, settings.scope.name, settings.schedule.name, settings.pattern.name)
    assert names == ("taylor", "global", "log_density", "element")


@pytest.mark.parametrize("key", ["score", "scope", "schedule", "pattern", "normalisation"])
def test_unknown_names_list_what_exists(key: str) -> None:
    with pytest.raises(InputError, match=rf"^{key}: unknown name 'nonsense'; expected \w+"):
        PruneSettings(**{"sparsity": 0.5, key: "nonsense"})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["2:4", "1:16", "3:8"])
def test_any_n_of_m_is_a_pattern(name: str) -> None:
    assert PruneSettings(sparsity=0.95, pattern=NOfMSettings(name=name)).pattern.name == name
    assert PruneSettings(**{"sparsity": 0.95, "pattern": name}).pattern == NOfMSettings(name=name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sparsity", 1.0),
        ("sparsity", -0.1),
        ("sparsity", float("nan")),
        ("events", 0),
        ("event_fraction", 0.0),
        ("event_fraction", 1.1),
        ("event_warmup", 1.0),
        ("event_warmup", -0.1),
        ("score.decay", 1.0),
        ("score.decay", -0.1),
        ("score.form", "nonsense"),
        ("mac_power", float("nan")),
        ("mac_power", float("inf")),
        ("floor_fraction", -0.1),
        ("floor_fraction", 1.1),
        ("floor_fraction", float("nan")),
        ("floor_per_filter", -1.0),
        ("floor_per_filter", float("inf")),
        ("schedule.first_sparsity", 0.6),
        ("schedule.first_sparsity", -0.1),
    ],
)
def test_values_outside_their_range_are_refused(key: str, value: Any) -> None:
    name, _, inner = key.partition(".")
    with pytest.raises(InputError, match=f"^{key}: .*found|^{key}: unknown name"):
        PruneSettings(**({"sparsity": 0.5} | {name: {inner: value} if inner else value}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pattern": "2:4", "sparsity": 0.4}, "sparsity: below the sparsity of pattern 2:4; found 0.4; expected 0.5"),
        ({"pattern": "2:4", "scope": "erk"}, "scope: .* leaves no room"),
        ({"pattern": "1:4", "sparsity": 0.9, "floor_fraction": 0.3}, "floor_fraction: .* leaves no room"),
        ({"pattern": "2:4", "floor_per_filter": 1.0}, "floor_per_filter: .* leaves no room"),
        ({"pattern": "channel", "floor_per_filter": 1.0}, "floor_per_filter: pattern channel does not read this key"),
        ({"pattern": "channel", "scope": "erk"}, "scope: pattern channel has one scope; found erk; expected global"),
        ({"schedule": "cyclic", "events": 5}, "events: too few events for cycles; found 5; expected 6 or more"),
        ({"schedule": {"name": "one_shot", "first_sparsity": 0.1}}, "schedule: one_shot does not read the key"),
        ({"score": {"name": "magnitude", "batches": 3}}, "read by taylor_pass, quant_aware, snip"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PruneSettings(**({"sparsity": 0.5} | changes))
