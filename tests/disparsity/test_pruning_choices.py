"""Every score, scope, schedule and pattern runs through the tiny recipe once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity import pipeline
from disparsity.base.choice import names_of
from disparsity.checkpoint.restore import open_network
from disparsity.pruning.masks import masks_of
from disparsity.pruning.schedules import SCHEDULES
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.scores.settings import ScoreSettings
from disparsity.recipe.recipe import load_recipe

Prune = Callable[..., dict[str, torch.Tensor]]
SMALL = ["prune.events=2", "prune.train.steps=2"]
FEW = {
    "taylor_pass": ["prune.score.batches=2", "prune.score.form=abs_mean"],
    "quant_aware": ["prune.score.batches=2", "prune.score.form=abs_mean"],
    "taylor": ["prune.score.form=abs_mean"],
    "snip": ["prune.score.batches=2"],
    "fisher_obs": ["prune.score.samples=2"],
    "obs": ["prune.score.pairs=2", "prune.score.positions=300"],
}
"""Settings of a score with which it is quick."""


@pytest.fixture
def prune(write_recipe: Callable[..., Path], tmp_path: Path) -> Prune:
    """The masks after the pruning stage of the tiny recipe with some settings changed."""

    def run(*changes: str) -> dict[str, torch.Tensor]:
        pipeline.run_single(load_recipe(write_recipe(tmp_path), [*SMALL, *changes]), tmp_path / "run", "prune", None)
        (folder,) = (tmp_path / "run" / "stages").iterdir()
        return masks_of(open_network(str(folder), None))

    return run


def kept(masks: dict[str, torch.Tensor]) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


def total(masks: dict[str, torch.Tensor]) -> int:
    return sum(mask.numel() for mask in masks.values())


@pytest.mark.parametrize("score", names_of(ScoreSettings))
def test_scores(prune: Prune, score: str) -> None:
    masks = prune(f"prune.score={score}", "prune.normalisation=layer_l2", *FEW.get(score, []))
    assert kept(masks) == round(0.2 * total(masks))


def test_channels_by_flow(prune: Prune) -> None:
    assert prune("prune.score=synflow", "prune.pattern=channel", "prune.sparsity=0.5", "prune.floor_fraction=0.2") == {}


@pytest.mark.parametrize("scope", [name for name in SCOPES if name != "per_layer"])
def test_scopes(prune: Prune, scope: str) -> None:
    masks = prune(f"prune.scope={scope}", "prune.score=magnitude")
    assert kept(masks) == round(0.2 * total(masks))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(prune: Prune, schedule: str) -> None:
    more = ["prune.mode=regrow", "prune.events=6", "prune.train.steps=7"] if schedule == "cyclic" else []
    masks = prune(f"prune.schedule={schedule}", "prune.event_warmup=0.2", "prune.event_fraction=0.9", *more)
    assert kept(masks) == round(0.2 * total(masks))


@pytest.mark.parametrize("pattern", ["2:4", "kernel"])
def test_patterns(prune: Prune, pattern: str) -> None:
    masks = prune(f"prune.pattern={pattern}")
    assert round(0.2 * total(masks)) - 27 < kept(masks) <= round(0.2 * total(masks))
    for mask in masks.values():
        if pattern == "kernel":
            assert set(mask.flatten(2).float().mean(2).flatten().tolist()) <= {0.0, 1.0}
        else:
            assert all(int(group.sum(1).max()) <= 2 for group in torch.split(mask, 4, dim=1))
