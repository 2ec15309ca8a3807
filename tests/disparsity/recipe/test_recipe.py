"""Recipes: every key and type is checked, changes apply, and what is written reads back as the same recipe."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disparsity.base.errors import InputError
from disparsity.datasets.augmentation.pair import AugmentSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import (
    DataSection,
    NetworkSection,
    PruneSection,
    QuantizeSection,
    Recipe,
    from_table,
    load_recipe,
    parse_size,
    to_toml,
)

ROOT = Path(__file__).resolve().parents[3]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


def read(text: str) -> Recipe:
    return from_table(Recipe, tomllib.loads(text), "test.toml")


def load(folder: Path, text: str, *changes: str) -> Recipe:
    (folder / "a.toml").write_text(text, encoding="utf-8")
    return load_recipe(folder / "a.toml", changes)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_committed_recipe_loads_and_round_trips(path: Path) -> None:
    recipe = load_recipe(path)
    assert read(to_toml(recipe)) == recipe
    assert to_toml(read(to_toml(recipe))) == to_toml(recipe)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(min_value=1e-30, max_value=1e30)
trainings = st.builds(
    TrainSettings,
    steps=st.integers(0, 10**9),
    learning_rate=numbers,
    warmup=st.integers(0, 99),
    rate=st.sampled_from(["constant", "cosine"]),
    truth_weight=numbers,
    teacher_weight=st.floats(0, 9),
)
recipes = st.builds(
    Recipe,
    seed=st.integers(0, 2**40),
    network=st.builds(NetworkSection, name=texts, checkpoint=texts),
    data=st.builds(
        DataSection,
        train=st.lists(texts, max_size=3).map(tuple),
        weights=st.lists(numbers, max_size=3).map(tuple),
        augment=st.booleans(),
        mask_disparity=st.floats(0, 1e6),
    ),
    train=st.none() | trainings,
    prune=st.none() | st.builds(PruneSection, sparsity=st.floats(0, 0.999), train=trainings, events=st.integers(1, 99)),
    finetune=st.none() | trainings,
    quantize=st.none() | st.builds(QuantizeSection, weight_bits=st.integers(2, 8)),
)


@given(recipes)
@example(Recipe(network=NetworkSection(name='\x00\x7f"\\\n\t\u2028', checkpoint="\U0001f600")))
def test_any_recipe_reads_back_as_it_was_written(recipe: Recipe) -> None:
    assert read(to_toml(recipe)) == recipe


def test_augmentation_reads_back_as_it_was_written() -> None:
    recipe = Recipe(data=DataSection(augmentation=AugmentSettings(zoom=0.0, patch_px=9)))
    assert read(to_toml(recipe)) == recipe
    assert "augmentation" not in to_toml(Recipe())


def test_every_default_is_written_out() -> None:
    table = tomllib.loads(to_toml(Recipe(prune=PruneSection(sparsity=0.5))))
    assert set(table["prune"]) == {item.name for item in dataclasses.fields(PruneSection)}
    assert set(table["prune"]["train"]) == {item.name for item in dataclasses.fields(TrainSettings)}
    assert "train" not in table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead = 1", r"test\.toml: unknown key 'sead'; .*did you mean 'seed'\?"),
        ("[purne]\nsparsity = 0.5", "did you mean 'prune'"),
        ("[prune]\nsparsity = 0.5\nsparcity = 0.6", r"test\.toml: prune: unknown key 'sparcity'; .*'sparsity'"),
        ("[prune]\nsparsity = 0.5\n[prune.train]\nsteps = 1\nlearning_rat = 1.0", "prune: train: .*'learning_rate'"),
        ("zzzzzz = 1", "unknown key 'zzzzzz'; expected seed, threads"),
        ("[train]\nlearning_rate = 0.1", "train: missing key 'steps'"),
        ('seed = "1"', "seed: wrong type; found '1'; expected int"),
        ("seed = 1.0", "seed: wrong type; found 1.0; expected int"),
        ("seed = true", "seed: wrong type; found True; expected int"),
        ("[data]\naugment = true\n[data.augmentation]\nflip = 0.5", "two kinds of augmentation"),
        ("[data.augmentation]\nflip = 1.5", "data: augmentation: impossible augmentation"),
        ("[data]\naugment = 1", "augment: wrong type; found 1; expected bool"),
        ("[data]\nmask_disparity = true", "mask_disparity: wrong type; found True; expected float"),
        ('[data]\ntrain = "synthetic:"', "train: not a list"),
        ("[data]\ntrain = [1]", "train: wrong type; found 1; expected str"),
        ("prune = 3", "prune: not a table"),
        ("[train]\nsteps = -1", "impossible training settings"),
        ("[prune]\nsparsity = 1.5", "sparsity out of range"),
        ("[quantize]\nweight_bits = 0", "weight_bits"),
        ('[quantize]\nrounding = "up"', "unknown rounding"),
    ],
)
def test_wrong_recipes_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1" + "0" * 400])
@pytest.mark.parametrize("key", ["data.mask_disparity", "prune.handicap", "train.learning_rate", "prune.sparsity"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{key.split('.')[1]}: not a finite number; found"):
        load(tmp_path, "[prune]\nsparsity = 0.5\n[train]\nsteps = 1", f"{key}={value}")


def test_integers_stand_for_floats() -> None:
    recipe = read("[train]\nsteps = 1\nlearning_rate = 1")
    assert recipe.train is not None
    assert isinstance(recipe.train.learning_rate, float)


def test_changes_apply_in_order_and_create_sections(tmp_path: Path) -> None:
    changes = ("seed=3", "train.steps = 7", "network.name=stereonet", 'data.train=["synthetic:?a=1&b=2"]', "seed=4")
    recipe = load(tmp_path, "seed = 1", *changes)
    assert recipe.seed == 4
    assert recipe.train == TrainSettings(steps=7)
    assert recipe.network.name == "stereonet"
    assert recipe.data.train == ("synthetic:?a=1&b=2",)
    assert load(tmp_path, "seed = 1", "network.checkpoint=../a b/c.tar").network.checkpoint == "../a b/c.tar"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", "--set: not a change of a setting; found 'seed'; expected a.b=value"),
        ("=3", "not a change of a setting"),
        ("seed.a=3", "'seed' is not a section"),
        ("sead=3", "did you mean 'seed'"),
        ("seed=abc", "wrong type; found 'abc'"),
        ("seed=", "wrong type; found ''"),
        ("a..b=1", "unknown key 'a'"),
        ("train=3", "not a table"),
        ("seed=1\nthreads=2", "wrong type"),
    ],
)
def test_wrong_changes_are_refused(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, "seed = 1", change)


def test_files_that_are_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: no such recipe"):
        load_recipe(tmp_path / "gone.toml")
    for content in (b"seed = ", b"\xff\xfe", b"seed = 1\nseed = 2"):
        (tmp_path / "a.toml").write_bytes(content)
        with pytest.raises(InputError, match="not a TOML file"):
            load_recipe(tmp_path / "a.toml")


def test_sizes() -> None:
    assert parse_size("544x960", "x") == (544, 960)
    assert parse_size("96X192", "x") == (96, 192)


@pytest.mark.parametrize(
    "text", ["", "x", "3x", "x3", "3", "3x4x5", "0x4", "-3x4", "3.0x4", "3 x 4", "axb", "²x3", "1e2x3"]
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match=r"data\.crop: not a size; .*expected HxW"):
        parse_size(text, "data.crop")


@given(st.text(max_size=8))
def test_sizes_are_two_positive_numbers_or_refused(text: str) -> None:
    try:
        size: Any = parse_size(text, "x")
    except InputError:
        return
    assert all(math.isfinite(value) and value > 0 for value in size)
