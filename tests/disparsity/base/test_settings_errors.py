"""What is known of settings classes: their keys, methods, types and ranges in words."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from disparsity.base.errors import InputError
from disparsity.base.settings_errors import expected_range, fields_of, joined, kinds_of, nearest, shown, type_name
from disparsity.finetune.modes.settings import FrozenSettings, RegrowSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import NetworkSection, PruneSection


def test_keys_and_methods_of_settings() -> None:
    assert list(fields_of(RegrowSettings)) == ["regrow_penalty", "drop_fraction"]
    assert list(fields_of(FrozenSettings)) == []
    assert list(fields_of(NetworkSection)) == ["name", "checkpoint", "max_disparity"]
    assert kinds_of(fields_of(Recipe)["finetune"]) == {"": TrainSettings}
    assert kinds_of(fields_of(PruneSection)["mode"])["regrow"] is RegrowSettings
    assert kinds_of(fields_of(PruneSection)["sparsity"]) == {}


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (Annotated[int, Field(ge=0, le=9)], "0..9"),
        (Annotated[int, Field(ge=1)], "1 or more"),
        (Annotated[float, Field(ge=0, lt=1)], "0 or more, below 1"),
        (Annotated[float, Field(gt=0, le=100)], "above 0, at most 100"),
        (float, ""),
    ],
)
def test_ranges_in_words(annotation: object, text: str) -> None:
    assert expected_range(annotation) == text


def test_types_in_words() -> None:
    assert type_name(Annotated[float, Field(ge=0)]) == "float"
    assert type_name(Literal["a", "b"]) == "a or b"
    assert type_name(tuple[str, ...]) == "list of str"
    assert type_name(TrainSettings | None) == "table"


def test_values_are_shown_short() -> None:
    assert shown((1, 2)) == "[1, 2]"
    assert shown({"steps": 1}) == shown(FrozenSettings()) == "a table"
    assert len(shown("x" * 1000)) < 70


def test_nearest_and_joined() -> None:
    assert nearest("sead", ["seed", "data"]) == "did you mean 'seed'?"
    assert nearest("zzzzzz", ["seed"]) is None
    assert str(joined([InputError("a"), InputError("b")])) == "a | b"
