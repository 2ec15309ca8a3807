"""Sections of a recipe: every range at its edges, and settings that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.recipe.recipe import Recipe, load_recipe

Load = Callable[..., Recipe]
CYCLIC = ("prune.schedule=cyclic", "prune.events=6", "prune.train.steps=12")


@pytest.fixture
def load(write_recipe: Callable[..., Path], tmp_path: Path) -> Load:
    return lambda *changes: load_recipe(write_recipe(tmp_path), changes)


@pytest.mark.parametrize(
    "changes",
    ["seed=0", "seed=2147483647", "threads=0", "threads=256", "data.batch=1", "data.weights=[0.5]",
     "data.mask_disparity=0.0", "report.pictures=0", "prune.events=4", "quantize.weight_bits=32",
     "prune.mode=regrow prune.mode.regrow_penalty=0.0", "prune.mode=regrow prune.mode.regrow_penalty=1.0",
     "prune.mode=alternating prune.mode.dense_fraction=1.0", "prune.mode=soft prune.mode.decay=0.0"],
)  # fmt: skip
def test_the_edges_are_inside(load: Load, changes: str) -> None:
    load(*changes.split())


@pytest.mark.parametrize(
    "changes",
    ["seed=-1", "seed=2147483648", "threads=-1", "threads=257", "data.batch=0", "data.weights=[-0.5]",
     "data.mask_disparity=-0.1", "report.pictures=-1", "report.latency_runs=0", "prune.mode=regro",
     "prune.mode=regrow prune.mode.regrow_penalty=-0.1", "prune.mode=regrow prune.mode.regrow_penalty=1.1",
     "prune.mode=alternating prune.mode.dense_fraction=1.1", "prune.mode=soft prune.mode.decay=1.0",
     "quantize.quantizer=lsk", "quantize.quantizer.initialisation=msee", "quantize.weight_bits=17",
     "quantize.layer_bits=[\"refine.0\"]"],
)  # fmt: skip
def test_beyond_the_edges_the_key_is_named(load: Load, changes: str) -> None:
    *_, last = changes.split()
    with pytest.raises(InputError, match=f": {last.partition('=')[0]}: (out of|unknown name|not a pattern)"):
        load(*changes.split())


@pytest.mark.parametrize("mode", ["alternating", "rigl"])
def test_weights_that_return_at_zero_are_not_held_there(load: Load, mode: str) -> None:
    changes = (f"prune.mode={mode}", "prune.train.psgd.strength=1.0")
    load(*changes, "prune.train.psgd.target=grid")
    with pytest.raises(InputError, match=r"prune\.train\.psgd\.target: .* return at zero"):
        load(*changes)


def test_scores_that_need_no_steps_may_come_before_the_first(load: Load) -> None:
    with pytest.raises(InputError, match=r"prune\.events: no step is scored before the first event; found 3 events"):
        load("prune.train.steps=0")
    for score in ("magnitude", "random", "obs", "taylor_pass"):
        load("prune.train.steps=0", f"prune.score={score}")


def test_cycles_need_weights_that_return(load: Load) -> None:
    with pytest.raises(InputError, match=r"prune\.mode: schedule cyclic needs weights that return; expected regrow"):
        load(*CYCLIC)
    load(*CYCLIC, "prune.mode=regrow")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["quantize.allocation.budget_bits=9.0"], r"budget_bits: out of range; found 9; expected 2..8, as the cand"),
        (["quantize.weight_bits=2", "quantize.allocation.candidates=[3, 4]"], "budget_bits: out of range; found 2"),
        (["quantize.allocation.candidates=[4, 20]"], "candidates: out of range; found 20"),
    ],
)
def test_an_allocation_is_checked_before_the_stages_that_it_waits_for(
    load: Load, changes: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=rf"quantize\.allocation\.{message}"):
        load("quantize.allocation=lagrangian", *changes)
    load("quantize.allocation=lagrangian", "quantize.allocation.budget_bits=2.5")
