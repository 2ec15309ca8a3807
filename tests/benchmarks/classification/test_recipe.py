"""Recipes of the classification control."""

from __future__ import annotations

from pathlib import Path

import pytest
from classification.recipe import ControlRecipe, claim_folder, read_recipe

from disparsity.base.errors import InputError

CIFAR10 = Path(__file__).resolve().parents[3] / "benchmarks/classification/cifar10.toml"


def test_without_a_file_the_digits_are_taken() -> None:
    assert read_recipe(None) == ControlRecipe(data="digits")


def test_the_recipe_for_cifar10_trains_as_published() -> None:
    recipe = read_recipe(CIFAR10)
    assert (recipe.data, recipe.augment, recipe.batch, recipe.dense_steps) == ("cifar10", True, 128, 64_000)
    assert (recipe.dense_rate, recipe.momentum, recipe.weight_decay) == (0.1, 0.9, 1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [("batches = 3", "did you mean 'batch'"), ("batch = 'x'", "expected int"), ("= 3", "not a TOML file")],
)
def test_wrong_recipes_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_recipe(tmp_path / "r.toml")
    with pytest.raises(InputError, match="no such recipe"):
        read_recipe(tmp_path / "other.toml")


def test_a_folder_belongs_to_one_recipe(tmp_path: Path) -> None:
    claim_folder(tmp_path, ControlRecipe())
    claim_folder(tmp_path, ControlRecipe())
    with pytest.raises(InputError, match="batch: the folder holds results of another recipe; found 32; expected 5"):
        claim_folder(tmp_path, ControlRecipe(batch=5))
