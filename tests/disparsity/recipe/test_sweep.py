"""The `sweep` section of a recipe."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.recipe.recipe import Recipe, to_toml
from disparsity.recipe.sweep import Parameter, SweepSettings
from disparsity.recipe.table import from_table

SECTION = """
[sweep]
trials = 3
[sweep.parameters."prune.sparsity"]
low = 0.9
high = 0.99
[sweep.parameters."quantize.weight_bits"]
low = 2
high = 8
[sweep.parameters."finetune.learning_rate"]
low = 1e-4
high = 1e-2
log = true
[sweep.parameters."prune.mode"]
choices = ["frozen", "regrow"]
[sweep.parameters."finetune.recompute_3d"]
choices = [true, false]
"""


def read(text: str) -> Recipe:
    return from_table(Recipe, tomllib.loads(text), "recipe.toml")


def test_parameters_are_tables_and_come_back_from_the_resolved_recipe() -> None:
    recipe = read(SECTION)
    assert recipe.sweep is not None
    assert recipe.sweep.parameters == {
        "prune.sparsity": Parameter(low=0.9, high=0.99),
        "quantize.weight_bits": Parameter(low=2, high=8),
        "finetune.learning_rate": Parameter(low=1e-4, high=1e-2, log=True),
        "prune.mode": Parameter(choices=("frozen", "regrow")),
        "finetune.recompute_3d": Parameter(choices=(True, False)),
    }
    whole = [key for key, parameter in recipe.sweep.parameters.items() if parameter.whole]
    assert whole == ["quantize.weight_bits"]
    assert read(to_toml(recipe)) == recipe


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "not a range; found None to None; expected .sweep.parameters"),
        ("low = 1", "not a range; found 1 to None"),
        ("low = 2\nhigh = 1", "not a range; found 2 to 1"),
        ("low = 1\nhigh = 1", "not a range"),
        ("low = 0\nhigh = 1\nlog = true", "a logarithmic range starts above 0; found 0"),
        ("choices = [1]", "choices stand alone, and are two or more"),
        ("choices = [1, 2]\nlow = 1\nhigh = 2", "choices stand alone"),
        ("low = 1\nhigh = 2\nlow_ = 3", "unknown key 'low_'"),
        ("low = 'a'\nhigh = 2", "low"),
    ],
)
def test_what_is_no_parameter_is_named(table: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^recipe\.toml: sweep\.parameters.*{message}"):
        read(f'[sweep.parameters."prune.sparsity"]\n{table}\n')


def test_the_text_of_older_recipes_is_refused_with_the_new_spelling() -> None:
    with pytest.raises(InputError, match=r"sweep\.parameters: parameters of a sweep are tables; .* low = 0\.5"):
        read('[sweep]\nparameters = ["prune.sparsity = 0.9..0.99"]')


@pytest.mark.parametrize(
    "settings",
    [
        {"parameters": {}},
        {"trials": 0},
        {"cost": "watts"},
        {"error": "psnr"},
        {"sampler": "grid"},
    ],
)
def test_impossible_sweeps_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        SweepSettings(**{"parameters": {"a": Parameter(low=1, high=2)}} | settings)
