"""Orders: which stages a recipe becomes, how rounds share steps and events, and every joint recipe from end to end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity import pipeline
from disparsity.base.errors import InputError
from disparsity.base.layers import effective_weight, trained_weight
from disparsity.checkpoint.restore import open_network
from disparsity.pruning.masks import density, masks_of
from disparsity.quant.attach import layer_bits, quantized_layers
from disparsity.recipe.plan import ORDERS, check_order, planned_stages
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.checks import check_settings

RECIPES = Path(__file__).resolve().parents[3] / "recipes"
FOLDERS = {
    "prune_quantize": ["01-prune", "02-quantize", "03-finetune_quantized"],
    "quantize_prune": ["01-quantize", "02-finetune_quantized", "03-prune", "04-finetune"],
    "alternating": ["01-prune", "02-quantize", "03-finetune_quantized", "04-prune", "05-finetune_quantized"],
    "simultaneous": ["01-quantize", "02-prune", "03-finetune_quantized"],
}


def recipe_of(order: str, *changes: str) -> Recipe:
    return load_recipe(RECIPES / f"joint_{order}.toml", changes)


@pytest.mark.parametrize("order", list(ORDERS))
def test_every_order_has_a_recipe_and_its_stages(order: str) -> None:
    recipe = recipe_of(order)
    check_settings(recipe)
    assert recipe.order == order
    names = [f"{stage.number:02d}-{stage.kind.name}" for stage in planned_stages(recipe)]
    assert names == FOLDERS[order]
    assert recipe.prune is not None
    assert recipe.prune.train.steps + sum(part.steps for part in _tuning(recipe)) == 360


def test_rounds_share_steps_events_and_sparsity() -> None:
    recipe = recipe_of("alternating", "rounds=3", "prune.events=7", "prune.train.steps=100", "prune.sparsity=0.9",
                       "finetune_quantized.steps=50", "prune.schedule.first_sparsity=0.3")  # fmt: skip
    stages = planned_stages(recipe)
    pruning = [stage for stage in stages if stage.kind.prunes]
    sections = [stage.recipe.prune for stage in pruning]
    assert [section.events for section in sections if section] == [2, 2, 3]
    assert [section.train.steps for section in sections if section] == [33, 33, 34]
    assert [stage.first_batch for stage in pruning] == [0, 33, 66]
    tuning = [stage for stage in stages if stage.kind.name == "finetune_quantized"]
    assert [stage.recipe.finetune_quantized.steps for stage in tuning if stage.recipe.finetune_quantized] == [
        16,
        17,
        17,
    ]
    assert [stage.first_batch for stage in tuning] == [0, 16, 33]
    # seven events from density 0.7 to 0.1 by equal factors: 0.7, then six times the sixth root of 1/7
    densities = [0.7 * math.pow(1 / 7, event / 6) for event in range(7)]
    first = [1 - section.schedule.first_sparsity for section in sections if section]
    last = [1 - section.sparsity for section in sections if section]
    assert first == pytest.approx([densities[0], densities[2], densities[4]])
    assert last == pytest.approx([densities[1], densities[3], densities[6]])


@pytest.mark.parametrize(
    ("order", "changes", "message"),
    [
        ("prune_quantize", ["order=backwards"], "order: unknown name 'backwards'; expected prune_quantize"),
        ("prune_quantize", ["rounds=2"], "rounds: rounds without alternating; found 2"),
        ("alternating", ["rounds=1"], "rounds: too few rounds to alternate; found 1"),
        ("alternating", ["prune.events=1"], "prune.events: every round needs an event; found 1; expected 2"),
        ("alternating", ["prune.schedule=cyclic", "prune.mode=regrow"], "prune.schedule: cycles"),
        ("alternating", ["finetune.steps=3"], "finetune: order 'alternating'; found a section; expected none"),
        ("simultaneous", ["finetune.steps=3"], "finetune: order 'simultaneous'; found a section; expected none"),
        (
            "simultaneous",
            ["prune.score={name = 'taylor'}"],
            "prune.score: order 'simultaneous' prunes behind quant",
        ),
        (
            "quantize_prune",
            ["prune.score={name = 'obs'}"],
            "prune.score: .* found obs; expected quant_aware, ",
        ),
        ("quantize_prune", ["prune.pattern=channel"], "prune.pattern: order 'quantize_prune'"),
        ("quantize_prune", ["prune.mode=reconstruct"], "prune.mode: order 'quantize_prune'"),
        ("quantize_prune", ["quantize.quantizer=transform"], "quantize.quantizer: .*keeps no zeros"),
        (
            "quantize_prune",
            ["finetune.teacher=in_network"],
            "finetune.teacher: no pruned",
        ),
    ],
)
def test_what_an_order_cannot_do_is_refused(order: str, changes: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        check_settings(recipe_of(order, *changes))


def test_sections_that_an_order_needs(checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"^prune: order 'quantize_prune'; found none; expected a section"):
        check_order(Recipe(order="quantize_prune"))
    with pytest.raises(InputError, match="compresses nothing"):
        planned_stages(Recipe())


@pytest.fixture
def tiny(checkpoint: Path) -> Callable[[str], Recipe]:
    """A joint recipe on the tiny network, with a few steps of 2 pairs."""

    def load(order: str) -> Recipe:
        data = "synthetic:?pairs=4&size=32x64&seed={}&max_disparity=16"
        changes = [
            *(f"network.checkpoint={checkpoint}", "data.batch=2", "report.pictures=1", "prune.events=2"),
            *(f'data.train=["{data.format(1)}"]', f'data.test=["{data.format(9)}"]'),
            *("prune.train.steps=4", "prune.score.batches=1", "finetune_quantized.steps=2"),
            *("quantize.calibration_pairs=1", "quantize.rounding.positions=200"),
        ]
        return recipe_of(order, *changes, *(["finetune.steps=2"] if order == "quantize_prune" else []))

    return load


@pytest.mark.slow
@pytest.mark.usefixtures("unreported")
@pytest.mark.parametrize("order", ["prune_quantize", "alternating", "simultaneous"])
def test_every_order_ends_sparse_and_on_its_grids(tiny: Callable[[str], Recipe], order: str, tmp_path: Path) -> None:
    pipeline.run(tiny(order), tmp_path / "run")
    check_result(tmp_path / "run", order)


@pytest.mark.slow
def test_quantize_then_prune_with_its_report(tiny: Callable[[str], Recipe], tmp_path: Path) -> None:
    report = pipeline.run(tiny("quantize_prune"), tmp_path / "run")
    check_result(tmp_path / "run", "quantize_prune")
    assert [row.stage for row in report.accuracy] == ["dense", "quantized"]
    assert report.memory.stage_bytes.pruned is None
    assert report.settings.score == "quant_aware"


def test_rounds_are_no_single_stage(tiny: Callable[[str], Recipe], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^prune: order 'alternating' takes this stage 2 times"):
        pipeline.run_single(tiny("alternating"), tmp_path / "run", "prune", None)


def check_result(run: Path, order: str) -> None:
    assert [folder.name for folder in sorted((run / "stages").iterdir())] == FOLDERS[order]
    networks = [open_network(str(folder), None) for folder in sorted((run / "stages").iterdir())]
    last = networks[-1]
    masks = masks_of(last)
    assert density(masks) == pytest.approx(0.1, abs=2e-3)
    assert {bits.weights for bits in layer_bits(last).values()} == {4, 8}
    for name in masks:
        layer: Any = last.get_submodule(name)
        assert bool((effective_weight(layer)[~masks[name]] == 0).all())
        assert bool((trained_weight(layer)[~masks[name]] == 0).all())
    before = [masks_of(network) for network in networks]
    for earlier, later in itertools.pairwise(before):  # what is gone stays gone
        assert all(not bool((later[name] & ~mask).any()) for name, mask in earlier.items())
    assert len(quantized_layers(last)) == len(masks) + len(last.spec.protected)
    assert not torch.equal(*(effective_weight(n.get_submodule(next(iter(masks)))) for n in (networks[0], last)))


def _tuning(recipe: Recipe) -> list[Any]:
    return [part for part in (recipe.finetune, recipe.finetune_quantized) if part is not None]
