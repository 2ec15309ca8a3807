"""Plan of a run: its stages in order, and the part of the recipe that each of them reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from disparsity.base.errors import InputError
from disparsity.finetune.settings import TrainSettings
from disparsity.pruning.schedules import density_after
from disparsity.pruning.settings import OneShotSettings, PruneSettings
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import PruneSection
from disparsity.recipe.stages import FINETUNE, FINETUNE_QUANTIZED, PRUNE, QUANTIZE, STAGES, StageKind

ORDERS = {
    "prune_quantize": "prune, finetune, quantize, finetune_quantized: the sparse network is put on its grids",
    "quantize_prune": "quantize, finetune_quantized, prune, finetune: weights are removed behind trained grids",
    "alternating": "prune, quantize, finetune_quantized, then again prune and finetune_quantized, in several rounds",
    "simultaneous": "quantize, prune, finetune_quantized: weights are removed while the grids are trained",
}
"""Every order by its name in recipes; sections that a recipe lacks are left out of the first two."""


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """One stage of a run.

    Attributes:
        kind: of the stage.
        recipe: what the stage reads; its share of the run's recipe in rounds.
        first_batch: how many steps of this section earlier rounds have taken.
        number: place in the run, from 1.

    """

    kind: StageKind
    recipe: Recipe
    first_batch: int = 0
    number: int = 1


def planned_stages(recipe: Recipe) -> list[PlannedStage]:
    """The compression stages of a recipe, in order.

    Raises:
        InputError: there is none, or the order lacks one that it needs or leaves one out that the recipe has.

    """
    check_order(recipe)
    planned = [stage for stage in _PLANS[recipe.order](recipe) if getattr(recipe, stage.kind.name) is not None]
    if not planned:
        sections = ", ".join(stage.name for stage in STAGES.values() if stage.compresses)
        raise InputError("the recipe compresses nothing", expected=f"at least one section of {sections}")
    return [replace(stage, number=number) for number, stage in enumerate(planned, start=1)]


def single_stage(recipe: Recipe, name: str) -> PlannedStage:
    """One stage of a recipe, with its place in the whole run.

    Raises:
        InputError: the recipe has no such section, or its order takes the stage several times.

    """
    if getattr(recipe, name) is None:
        present = [stage for stage in STAGES if getattr(recipe, stage) is not None]
        raise InputError(f"the recipe has no section [{name}]", expected=f"one of {present}")
    if not STAGES[name].compresses:
        return PlannedStage(kind=STAGES[name], recipe=recipe)
    found = [stage for stage in planned_stages(recipe) if stage.kind.name == name]
    if len(found) > 1:
        remedy = "the command run takes all stages"
        raise InputError(f"order '{recipe.order}' takes this stage {len(found)} times", where=name, remedy=remedy)
    return found[0]


def check_order(recipe: Recipe) -> None:
    """Refuse an order that a recipe's sections do not allow.

    Raises:
        InputError: the order is unknown, lacks a section, or has one too many; or rounds are none or too many.

    """
    if recipe.order not in ORDERS:
        raise InputError(f"unknown name '{recipe.order}'", where="order", expected=", ".join(ORDERS))
    if recipe.order == "alternating":
        _check_rounds(recipe)
    elif recipe.rounds != 1:
        raise InputError("rounds without alternating", where="rounds", found=recipe.rounds, expected="1")
    for stage, wanted in _SECTIONS.get(recipe.order, {}).items():
        if (getattr(recipe, stage.name) is not None) != wanted:
            found, expected = ("none", "a section") if wanted else ("a section", "none")
            raise InputError(f"order '{recipe.order}'", where=stage.name, found=found, expected=expected)


def prunes_under_quantizers(recipe: Recipe) -> bool:
    """Whether any pruning stage meets a network that is quantized already."""
    return recipe.order != "prune_quantize"


_SECTIONS = {
    "quantize_prune": {PRUNE: True, QUANTIZE: True},
    "alternating": {PRUNE: True, QUANTIZE: True, FINETUNE_QUANTIZED: True, FINETUNE: False},
    "simultaneous": {PRUNE: True, QUANTIZE: True, FINETUNE: False},
}
"""Sections that an order needs (True) or has no place for (False)."""


def _check_rounds(recipe: Recipe) -> None:
    if recipe.rounds < 2:
        raise InputError("too few rounds to alternate", where="rounds", found=recipe.rounds, expected="2 or more")
    if recipe.prune is not None and recipe.prune.events < recipe.rounds:
        raise InputError(
            "every round needs an event", where="prune.events", found=recipe.prune.events, expected=recipe.rounds
        )
    if recipe.prune is not None and recipe.prune.schedule.name == "cyclic":
        raise InputError("cycles do not fall into rounds", where="prune.schedule", found="cyclic")


def _in_turn(*kinds: StageKind) -> Callable[[Recipe], Iterator[PlannedStage]]:
    return lambda recipe: (PlannedStage(kind=kind, recipe=recipe) for kind in kinds)


def _alternating(recipe: Recipe) -> Iterator[PlannedStage]:
    """Steps and events of the sections are shared among the rounds, so that every order trains equally long."""
    assert recipe.prune is not None
    assert recipe.finetune_quantized is not None
    for number in range(recipe.rounds):
        prune = _part_of_pruning(recipe.prune, number, recipe.rounds)
        tune = _part_of_training(recipe.finetune_quantized, number, recipe.rounds)
        part = replace(recipe, prune=prune, finetune_quantized=tune)
        before = _share(recipe.prune.train.steps, number, recipe.rounds)
        yield PlannedStage(kind=PRUNE, recipe=part, first_batch=before)
        if number == 0:
            yield PlannedStage(kind=QUANTIZE, recipe=part)
        before = _share(recipe.finetune_quantized.steps, number, recipe.rounds)
        yield PlannedStage(kind=FINETUNE_QUANTIZED, recipe=part, first_batch=before)


def _part_of_training(settings: TrainSettings, number: int, rounds: int) -> TrainSettings:
    steps = _share(settings.steps, number + 1, rounds) - _share(settings.steps, number, rounds)
    return replace(settings, steps=steps)


def _part_of_pruning(section: PruneSection, number: int, rounds: int) -> PruneSection:
    """A round's events: those of the whole schedule that fall into it."""
    before, after = (_share(section.events, count, rounds) for count in (number, number + 1))
    schedule = section.schedule
    if number > 0 and not isinstance(schedule, OneShotSettings):
        schedule = replace(schedule, first_sparsity=_sparsity_after(before + 1, section))
    return replace(
        section,
        sparsity=_sparsity_after(after, section),
        schedule=schedule,
        events=after - before,
        train=_part_of_training(section.train, number, rounds),
    )


def _sparsity_after(event: int, settings: PruneSettings) -> float:
    first, last = 1.0 - settings.schedule.first_sparsity, 1.0 - settings.sparsity
    return 1.0 - density_after(event, settings.events, settings.schedule.name, first, last)


def _share(whole: int, number: int, rounds: int) -> int:
    """How much of a whole number the first `number` rounds take."""
    return whole * number // rounds


_PLANS: dict[str, Callable[[Recipe], Iterator[PlannedStage]]] = {
    "prune_quantize": _in_turn(PRUNE, FINETUNE, QUANTIZE, FINETUNE_QUANTIZED),
    "quantize_prune": _in_turn(QUANTIZE, FINETUNE_QUANTIZED, PRUNE, FINETUNE),
    "alternating": _alternating,
    "simultaneous": _in_turn(QUANTIZE, PRUNE, FINETUNE_QUANTIZED),
}
