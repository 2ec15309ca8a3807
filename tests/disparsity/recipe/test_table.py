"""Tables of settings: short and whole forms, and changes of single keys."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import NetworkSection, PruneSection
from disparsity.recipe.table import apply_change, from_table, to_table

SECTION = PruneSection(sparsity=0.5, mode=RegrowSettings(drop_fraction=0.1), train=TrainSettings(steps=40))


def test_the_short_form_holds_what_was_chosen() -> None:
    chosen = {"sparsity": 0.5, "mode": {"name": "regrow", "drop_fraction": 0.1}, "train": {"steps": 40}}
    assert to_table(SECTION, whole=False) == chosen
    assert from_table(PruneSection, chosen, "x") == SECTION
    assert to_table(Recipe(network=NetworkSection(name="x")), whole=False) == {"network": {"name": "x"}}


def test_the_whole_form_writes_methods_without_settings_as_names() -> None:
    table = to_table(SECTION, whole=True)
    assert table["scope"] == "global"
    assert list(table["mode"]) == ["name", "regrow_penalty", "drop_fraction"]
    assert "psgd" not in table["train"]
    assert from_table(PruneSection, table, "x") == SECTION


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("a.mode=regrow", {"a": {"mode": {"name": "regrow", "decay": 0.5}, "score": "taylor"}}),
        ("a.score.form=mean_abs", {"a": {"mode": {"decay": 0.5}, "score": {"name": "taylor", "form": "mean_abs"}}}),
        ("a.score=magnitude", {"a": {"mode": {"decay": 0.5}, "score": "magnitude"}}),
        ("a.mode.decay=0.25", {"a": {"mode": {"decay": 0.25}, "score": "taylor"}}),
        ("b.c=[1, 2]", {"a": {"mode": {"decay": 0.5}, "score": "taylor"}, "b": {"c": [1, 2]}}),
        ("b=a b", {"a": {"mode": {"decay": 0.5}, "score": "taylor"}, "b": "a b"}),
    ],
)
def test_changes_of_a_table(change: str, expected: dict[str, Any]) -> None:
    table: dict[str, Any] = {"a": {"mode": {"decay": 0.5}, "score": "taylor"}}
    apply_change(table, change)
    assert table == expected


@pytest.mark.parametrize("change", ["a", "=3", "a.steps.b=3"])
def test_what_is_no_change(change: str) -> None:
    with pytest.raises(InputError, match=r"^--set: "):
        apply_change({"a": {"steps": 3}}, change)
