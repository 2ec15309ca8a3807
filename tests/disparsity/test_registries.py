"""Registries: every listed name works, every name that works is listed, and reading the list imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity import registries
from disparsity.base.choice import members, names_of
from disparsity.base.errors import DataError, InputError
from disparsity.datasets.readers.registry import READERS
from disparsity.datasets.uri import open_data
from disparsity.finetune.modes.registry import MODES
from disparsity.finetune.modes.settings import ModeSettings
from disparsity.finetune.settings import TeacherSettings
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.schedules import SCHEDULES
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.settings import ScoreSettings
from disparsity.pruning.settings import PatternSettings, ScheduleSettings, ScopeSettings
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.allocations.settings import AllocationSettings
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import QuantizerSettings
from disparsity.recipe.plan import ORDERS
from disparsity.recipe.recipe import load_recipe
from disparsity.registries import ENTRIES, check_name, installed, load, load_all, recipe_path, summaries
from disparsity.stereo.networks import build_network

TARGETS = [(kind, name) for kind, entries in ENTRIES.items() for name, entry in entries.items() if entry.target]
HEAVY = "torch", "numpy", "pydantic", "matplotlib"
VOLUMES = "disparsity.stereo.volumes."


@pytest.mark.parametrize(
    ("kind", "union"),
    [
        ("scores", ScoreSettings), ("scopes", ScopeSettings), ("schedules", ScheduleSettings),
        ("patterns", PatternSettings), ("modes", ModeSettings), ("quantizers", QuantizerSettings),
        ("allocations", AllocationSettings), ("teachers", TeacherSettings),
    ],
)  # fmt: skip
def test_methods_are_the_settings_that_recipes_take(kind: str, union: Any) -> None:
    assert list(ENTRIES[kind]) == names_of(union)
    assert list(load_all(kind).values()) == list(members(union.__origin__))


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("scores", SCORES), ("scopes", SCOPES), ("schedules", SCHEDULES), ("modes", MODES), ("quantizers", QUANTIZERS),
        ("allocations", ALLOCATIONS),
    ],
)  # fmt: skip
def test_every_method_has_its_code(kind: str, table: dict[str, object]) -> None:
    without = {"scores": {"taylor"}, "allocations": {"uniform"}}  # left by the training steps; named in the settings
    assert set(table) == set(ENTRIES[kind]) - without.get(kind, set())


@pytest.mark.parametrize(("kind", "methods"), [("orders", ORDERS), ("data", READERS)])
def test_other_names_are_those_of_their_code(kind: str, methods: Iterable[str]) -> None:
    assert list(ENTRIES[kind]) == list(methods)


@pytest.mark.parametrize(("kind", "name"), TARGETS)
def test_every_target_is_there(kind: str, name: str) -> None:
    assert load(kind, name) is not None


@pytest.mark.parametrize("name", ENTRIES["networks"])
def test_networks_are_what_is_said_of_them(name: str) -> None:
    with torch.device("meta"):
        network = build_network(name)
    modules = [type(module).__module__ for module in network.modules()]
    volumes = dict.fromkeys(module.removeprefix(VOLUMES) for module in modules if module.startswith(VOLUMES))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    said = f"{parameters:,} parameters, disparities to {network.spec.max_disparity}, {' and '.join(volumes)} volume"
    assert (network.spec.name, summaries("networks")[name]) == (name, said)


def test_installed_files_are_listed_and_can_be_read() -> None:
    weights = Path(registries.__file__).parent / "stereo" / "weights"
    assert set(ENTRIES["checkpoints"]) == {f"builtin:{path.stem}" for path in weights.glob("*.json")}
    assert all(load_profile(name).name == name for name in summaries("profiles"))
    assert all(load_recipe(installed("recipes", name)) for name in summaries("recipes"))
    assert all(summaries("recipes").values())


def test_a_recipe_is_a_name_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_path(Path("demo")).read_text() == installed("recipes", "demo").read_text()
    assert recipe_path(Path("demo.toml")) == Path("demo.toml")
    with pytest.raises(InputError, match=r"unknown recipe 'dem'; expected .*; did you mean 'demo'"):
        recipe_path(Path("dem"))
    Path("demo").touch()
    assert recipe_path(Path("demo")) == Path("demo")


def test_data_examples_are_uris() -> None:
    for scheme, example in summaries("data").items():
        assert example.startswith(f"{scheme}:")
        if scheme == "synthetic":
            assert len(open_data(example)) > 0
        else:
            with pytest.raises(DataError, match=r"no such (folder|file)"):
                open_data(example)


def test_an_unknown_name_gets_the_list_and_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        check_name("zigzg", ENTRIES["formats"], "formats", "--format")
    expected = ", ".join(ENTRIES["formats"])
    assert str(caught.value) == f"--format: unknown format 'zigzg'; expected {expected}; did you mean 'zigzag'?"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["cost", "--help"], ["list", "networks"]], ids=" ".join)
def test_the_command_line_answers_without_heavy_imports(words: list[str]) -> None:
    code = (
        "import sys\nfrom disparsity.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"assert not set({HEAVY}) & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
