"""Recipes: every key and type is checked, changes apply, and what is written reads back as the same recipe."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disparsity.base.errors import InputError
from disparsity.datasets.augmentation.settings import MildAugmentationSettings, StrongAugmentationSettings
from disparsity.finetune.modes.settings import FrozenSettings, RegrowSettings, SoftSettings
from disparsity.finetune.optimizers.settings import GridTargetSettings, PSGDSettings
from disparsity.finetune.settings import DenseTeacherSettings, NoTeacherSettings, TrainSettings
from disparsity.pruning.scores.settings import SnipSettings
from disparsity.pruning.settings import ElementSettings, KernelSettings
from disparsity.quant.quantizers.settings import PowerOfTwoSettings
from disparsity.recipe.recipe import Recipe, changed, load_recipe, to_toml
from disparsity.recipe.sections import DataSection, NetworkSection, PruneSection, QuantizeSection
from disparsity.recipe.table import from_table

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
    lr_schedule=st.sampled_from(["constant", "cosine"]),
    supervised_weight=numbers,
    teacher=st.builds(DenseTeacherSettings, weight=st.floats(0, 9)) | st.just(NoTeacherSettings()),
    psgd=st.none() | st.builds(PSGDSettings, target=st.builds(GridTargetSettings, bits=st.integers(2, 16))),
)
recipes = st.builds(
    Recipe,
    seed=st.integers(0, 2**31 - 1),
    network=st.builds(NetworkSection, name=texts, checkpoint=texts),
    data=st.builds(
        DataSection,
        train=st.lists(texts, max_size=3).map(tuple),
        weights=st.lists(numbers, max_size=3).map(tuple),
        augmentation=st.just(MildAugmentationSettings()) | st.builds(StrongAugmentationSettings),
        mask_disparity=st.floats(0, 1e6),
    ),
    train=st.none() | trainings,
    prune=st.none()
    | st.builds(
        PruneSection,
        sparsity=st.floats(0, 0.999),
        train=trainings,
        events=st.integers(1, 99),
        score=st.builds(SnipSettings, batches=st.integers(1, 99)),
        pattern=st.sampled_from([ElementSettings(), KernelSettings()]),
        mode=st.builds(SoftSettings, decay=st.floats(0, 0.99)) | st.just(FrozenSettings()),
    ),
    finetune=st.none() | trainings,
    quantize=st.none() | st.builds(QuantizeSection, weight_bits=st.integers(2, 8)),
)


@given(recipes)
@example(Recipe(network=NetworkSection(name='\x00\x7f"\\\n\t\u2028', checkpoint="\U0001f600")))
def test_any_recipe_reads_back_as_it_was_written(recipe: Recipe) -> None:
    assert read(to_toml(recipe)) == recipe
    assert changed(recipe, ()) == recipe


def test_augmentation_reads_back_as_it_was_written() -> None:
    recipe = Recipe(data=DataSection(augmentation=StrongAugmentationSettings(zoom=0.0, patch_px=9)))
    assert read(to_toml(recipe)) == recipe
    assert 'augmentation = "none"' in to_toml(Recipe())


def test_every_default_is_written_out() -> None:
    section = PruneSection(sparsity=0.5, train=TrainSettings(steps=20))
    table = tomllib.loads(to_toml(Recipe(prune=section)))
    assert set(table["prune"]) == {item.name for item in dataclasses.fields(PruneSection)}
    absent = {"psgd", "scale_clip", "photometric"}
    assert set(table["prune"]["train"]) == {item.name for item in dataclasses.fields(TrainSettings)} - absent
    assert table["prune"]["score"] == {"name": "taylor", "decay": 0.95, "form": "mean_sq"}
    assert table["prune"]["mode"] == "frozen"
    assert "train" not in table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead = 1", r"test\.toml: unknown key 'sead'; .*did you mean 'seed'\?"),
        ("[purne]\nsparsity = 0.5", "did you mean 'prune'"),
        ("[prune]\nsparsity = 0.5\nsparcity = 0.6", r"test\.toml: prune: unknown key 'sparcity'; .*'sparsity'"),
        ("[prune]\nsparsity = 0.5\n[prune.train]\nsteps = 1\nlearning_rat = 1.0", "prune.train: .*'learning_rate'"),
        ("zzzzzz = 1", "unknown key 'zzzzzz'; expected seed, threads"),
        ("[train]\nlearning_rate = 0.1", "train: missing key 'steps'"),
        ('seed = "1"', "seed: wrong type; found '1'; expected int"),
        ("seed = 1.0", "seed: wrong type; found 1.0; expected int"),
        ("seed = true", "seed: wrong type; found True; expected int"),
        ('[data.augmentation]\nname = "strong"\nflip = 1.5', r"data\.augmentation\.flip: out of range; found 1.5"),
        ("[data]\naugmentation = 1", r"data\.augmentation: neither a name nor a table; found 1"),
        ("[report]\ntensorboard = 1", r"report\.tensorboard: wrong type; found 1; expected bool"),
        ("[data]\nmask_disparity = true", r"data\.mask_disparity: wrong type; found True; expected float"),
        ('[data]\ntrain = "synthetic:"', r"data\.train: not a list; found 'synthetic:'"),
        ("[data]\ntrain = [1]", r"data\.train: wrong type; found 1; expected str"),
        ("prune = 3", "prune: not a table; found 3"),
        ("[train]\nsteps = -1", r"train\.steps: out of range; found -1; expected 0 or more"),
        ("[prune]\nsparsity = 1.5", r"prune\.sparsity: out of range; found 1.5; expected 0 or more, below 1"),
        (
            "[quantize]\nweight_bits = 0",
            r"quantize\.weight_bits: out of range; found 0; expected 1..16, or 32 for float",
        ),
        ('[quantize]\nrounding = "up"', r"quantize\.rounding: unknown name 'up'; expected nearest, reconstruct"),
        ("[quantize.quantizer]\nthreshold = 0.5", "lsq does not read the key 'threshold'; .*; read by ternary"),
        ('[quantize.quantizer]\nname = "ternary"\ntreshold = 0.5', "did you mean 'threshold'"),
        ('[prune]\nsparsity = 0.5\nmode = ["soft"]', r"prune\.mode: neither a name nor a table; found \['soft'\]"),
    ],
)
def test_wrong_recipes_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1" + "0" * 400])
@pytest.mark.parametrize("key", ["data.mask_disparity", "prune.mac_power", "train.learning_rate", "prune.sparsity"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{key}: not a finite number; found"):
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


def test_a_change_selects_a_method_and_sets_its_keys(tmp_path: Path) -> None:
    text = '[prune]\nsparsity = 0.5\nscore = "magnitude"\nmode = "frozen"'
    for changes in (
        ("prune.mode=regrow", "prune.mode.regrow_penalty=0.5"),
        ("prune.mode.regrow_penalty=0.5", "prune.mode=regrow"),
    ):
        section = load(tmp_path, text.replace('mode = "frozen"', ""), *changes).prune
        assert section is not None
        assert section.mode == RegrowSettings(regrow_penalty=0.5)
    section = load(tmp_path, text, "prune.mode=regrow", "prune.mode.drop_fraction=0.1").prune
    assert section is not None
    assert section.mode == RegrowSettings(drop_fraction=0.1)


def test_keys_of_a_method_that_a_change_deselects_are_named(tmp_path: Path) -> None:
    text = '[prune]\nsparsity = 0.5\nscore = "magnitude"\n[prune.mode]\nname = "soft"\ndecay = 0.8'
    message = "prune.mode: regrow does not read the key 'decay'; expected regrow_penalty, drop_fraction; read by soft"
    with pytest.raises(InputError, match=message):
        load(tmp_path, text, "prune.mode=regrow")


def test_a_resolved_recipe_can_take_another_method() -> None:
    recipe = changed(read("[quantize]\nweight_bits = 4"), ["quantize.quantizer=power_of_two"])
    assert recipe.quantize is not None
    assert recipe.quantize.quantizer == PowerOfTwoSettings()


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
