"""Stage `train`: dense training from fresh weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from disparsity import pipeline
from disparsity.checkpoint.restore import open_network, stage_of
from disparsity.finetune.settings import NoTeacherSettings
from disparsity.recipe.recipe import Recipe, load_recipe


def test_training_from_fresh_weights(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    assert recipe.finetune is not None
    only = Recipe(threads=1, network=recipe.network, data=recipe.data,
                  train=replace(recipe.finetune, teacher=NoTeacherSettings()))  # fmt: skip
    folder = pipeline.run_single(only, tmp_path / "run", "train", None)
    assert folder.name == "01-train"
    assert stage_of(open_network(str(folder), None)) == "dense"
