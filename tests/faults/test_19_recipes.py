"""Row 19: recipes with mistakes: all of them in one line, with the nearest valid key, and no code in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign.fuzzing import one
from campaign.targets import TARGETS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", "unknown key 'sed'; expected .*did you mean 'seed'"),
        ("seed = 'one'", "seed: wrong type; found 'one'; expected int"),
        ("seed = -1\n[finetune]\nsteps = 1", "seed: out of range; found -1"),
        ("[data]\nmask_disparity = nan", "mask_disparity: not a finite number; found nan"),
        ("[finetune]\nsteps = 1\nlearning_rate = 1e400", "learning_rate: not a finite number; found inf"),
        (
            "[finetune]\nsteps = 1\nlearning_rate = -1e308",
            r"finetune\.learning_rate: out of range; found -1e\+308; expected above 0",
        ),
        ("a = 1\na = 2", "not a TOML file; found Cannot overwrite"),
        ("x = " + "[" * 5_000, "not a TOML file"),
        ("!!python/object/apply:os.system ['true']", "not a TOML file"),
    ],
)
def test_one_line(tmp_path: Path, one_line: Callable[..., str], text: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    line = one_line(2, "run", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert re.search(message, line), line
    assert not (tmp_path / "run").exists()


def test_all_mistakes_at_once(tmp_path: Path, one_line: Callable[..., str]) -> None:
    text = "sed = 1\nthreads = 'two'\n[prune]\nsparsitty = 0.5\nevents = 1.5\n[finetune]\nlearning_rate = 1e-3\n"
    (tmp_path / "recipe.toml").write_text(text)
    line = one_line(2, "run", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert line.count(" | ") == 5
    for found in (
        "'sed'",
        "threads: wrong type",
        "did you mean 'sparsity'",
        "prune.events: wrong type; found 1.5; expected int",
        "'steps'",
        "missing key 'sparsity'",
    ):
        assert found in line


def test_mutated_recipes_end_in_our_error(tmp_path: Path) -> None:
    seeds = TARGETS["recipe"].seeds(tmp_path)
    accepted = [one(TARGETS["recipe"], seeds, f"row 19 {number}", tmp_path / "input") for number in range(300)]
    assert 10 < sum(accepted) < 290


def test_all_keys_of_the_older_form_at_once(tmp_path: Path, one_line: Callable[..., str]) -> None:
    text = '[prune]\nsparsity = 0.5\nhandicap = 0.5\n[finetune]\nsteps = 1\nrate = "constant"\npsgd = 1.0\n'
    (tmp_path / "recipe.toml").write_text(text)
    line = one_line(2, "run", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert "recipe.toml: keys of an older form: " in line
    for found in ("prune.mode.regrow_penalty", "finetune.rate is now finetune.lr_schedule", "finetune.psgd.strength"):
        assert found in line
