"""Runs of the control, tiny: what is kept, what is zero, what is reused."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from classification.control import compressed, trained
from classification.data import digits
from classification.loop import Loop
from classification.recipe import ControlRecipe
from classification.resnet20 import seeded_resnet20
from classification_control import _counts, cases, leads
from harness.rows import key_of

from disparsity.base.errors import DivergedError

TINY = ControlRecipe(
    batch=4, dense_steps=2, prune_steps=2, tune_steps=1, events=2, score_batches=1, sparsities=(0.9, 0.99), seeds=(0, 3)
)


def test_the_grid_is_the_product_seed_by_seed() -> None:
    grid = list(cases(TINY))
    assert len(grid) == len(set(map(key_of, grid))) == 5 * 2 * 2
    assert [case["seed"] for case in grid] == [0] * 10 + [3] * 10


def test_scores_are_compared_run_by_run() -> None:
    found = [("taylor", 0.9, 0, 95.0), ("taylor", 0.9, 1, 97.0), ("taylor", 0.98, 0, 90.0)]
    found += [("magnitude", 0.9, 0, 94.0), ("magnitude", 0.9, 1, 97.0), ("magnitude", 0.98, 0, 84.0)]
    rows = [
        {"case": {"score": score, "sparsity": sparsity, "seed": seed}, "found": {"accuracy_percent": accuracy}}
        for score, sparsity, seed, accuracy in found
    ]
    assert sorted(leads(rows, "magnitude", 0.0)) == [0.0, 1.0, 6.0]
    assert leads(rows, "magnitude", 0.98) == [6.0]
    assert leads(rows, "snip", 0.0) == []
    assert _counts([0.0, 1.0, 6.0]) == "+2.33, better in 2 and worse in 0 of 3"


@pytest.mark.parametrize("score", TINY.scores)
def test_every_score_keeps_exactly_its_share(score: str) -> None:
    data, dense = digits(), seeded_resnet20(1, 10, 0)
    before = copy.deepcopy(dense.state_dict())
    row = compressed(TINY, data, {"score": score, "sparsity": 0.95, "seed": 0}, dense)
    weights = 9 * (16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64) + 640
    assert row["kept"] == round(0.05 * weights)
    assert 0 <= row["accuracy_percent"] <= 100
    assert all(torch.equal(before[name], value) for name, value in dense.state_dict().items())


def test_the_dense_network_is_trained_once(tmp_path: Path) -> None:
    data = digits()
    first = trained(TINY, data, 0, tmp_path).state_dict()
    stored = (tmp_path / "dense-0.safetensors").read_bytes()
    again = trained(TINY, data, 0, tmp_path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert (tmp_path / "dense-0.safetensors").read_bytes() == stored


def test_the_rate_falls_along_a_cosine() -> None:
    loop = Loop(seeded_resnet20(1, 10, 0), digits(), TINY, 0)
    rates: list[float] = []
    loop.optimizer.register_step_post_hook(lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"]))
    loop.run(4, 0.2, falling=True)
    loop.run(2, 0.2, falling=False)
    assert rates == pytest.approx([0.2, 0.2 * (0.5 + 0.5**1.5), 0.1, 0.2 * (0.5 - 0.5**1.5), 0.2, 0.2])
    assert loop.step == 6


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    network = seeded_resnet20(1, 10, 0)
    torch.nn.init.constant_(network.classify.bias, torch.nan)
    with pytest.raises(DivergedError, match="step 0"):
        Loop(network, digits(), TINY, 0).run(1, 0.1, falling=False)
