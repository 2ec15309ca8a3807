"""The whole pipeline: stages in order, evaluation after those that end one, then costs and the report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from disparsity.base import distributed
from disparsity.base.atomic_io import write_json
from disparsity.base.checksummed_json import write_sealed
from disparsity.base.devices import choose_device, use_device
from disparsity.base.errors import InputError
from disparsity.base.signals import stop_on_signal
from disparsity.checkpoint.checkpoints import SIDE_FILE
from disparsity.evaluation.evaluation import evaluate_all, save_maps
from disparsity.recipe.plan import planned_stages, prunes_under_quantizers
from disparsity.recipe.recipe import Recipe
from disparsity.report.build import build_report
from disparsity.run.checks import check_files, check_report, check_settings
from disparsity.run.context import Context
from disparsity.run.folder import RECIPE_FILE, check_folder, check_present, open_run, stage_folder
from disparsity.run.manifest import write_manifest
from disparsity.run.stages.stages import STAGES, run_stage
from disparsity.stereo.network import StereoNetwork

COMPRESSION = ("prune", "finetune", "quantize", "finetune_quantized")
"""The stages that a run may have, whatever their order."""
STOPPABLE = ("train", "prune", "finetune", "finetune_quantized")
"""The stages that train, and write a checkpoint when a signal asks; another one is taken again from its start."""


def run(recipe: Recipe, out: Path) -> dict[str, Any]:
    """Prune, fine-tune, quantize, fine-tune, evaluate, cost and report; a stopped run goes on where it was.

    Returns:
        the report, as written to `report/report.json`; empty in all processes of the run but the first.

    Raises:
        InputError: the recipe, its data or the folder is wrong.
        StoppedError: a signal asked; the same call goes on.

    """
    planned = planned_stages(recipe)
    check_settings(recipe)
    check_report(recipe)
    prepare(recipe)
    with stop_on_signal() as stop, _opened(Context(run=out, recipe=recipe, stop=stop)) as context:
        _evaluate(context, context.dense, "dense")
        network = context.dense
        for number, stage in enumerate(planned, start=1):
            with nullcontext() if stage.name in STOPPABLE else stop.at_once(out):
                network = run_stage(context.of(stage), network, number, stage.name)
            check_present(out, RECIPE_FILE)
            if stage.name == _last_before_bits(recipe):
                _evaluate(context, network, "pruned")
            stop.raise_if_asked(out)
        if recipe.quantize is not None:
            _evaluate(context, network, "quantized")
        stop.raise_if_asked(out)
        report = {}
        if distributed.is_first():
            report = build_report(out, recipe)
            write_manifest(out, recipe)
    return report


def run_single(recipe: Recipe, out: Path, name: str, start: str | None) -> Path:
    """One stage of a recipe, from a checkpoint or from the stage before it.

    Returns:
        the folder with the stage's checkpoint.

    Raises:
        InputError: the recipe has no such section, or its order takes the stage several times.

    """
    if getattr(recipe, name) is None:
        raise InputError(
            f"the recipe has no section [{name}]", expected=f"one of {[s for s in STAGES if getattr(recipe, s)]}"
        )
    check_settings(recipe)
    prepare(recipe)
    names = active_stages(recipe) if name in COMPRESSION else ["train"]
    if names.count(name) > 1:
        remedy = "the command run takes all stages"
        raise InputError(
            f"order '{recipe.order}' takes this stage {names.count(name)} times", where=name, remedy=remedy
        )
    number = names.index(name) + 1
    with stop_on_signal() as stop, _opened(Context(run=out, recipe=recipe, stop=stop), start) as context:
        network = _starting_network(context, names, number, start)
        trained = run_stage(context, network, number, name)
        folder = stage_folder(out, number, name)
        rows = [item.row for item in _score(context, trained, name, pictures=0)]
        if distributed.is_first():
            write_json(folder / "accuracy.json", rows)
            write_manifest(out, recipe)
    return folder


@contextmanager
def _opened(context: Context, start: str | None = None) -> Iterator[Context]:
    """The run's folder, made or returned to once all that the recipe names is known to be there."""
    check_folder(context.run, context.recipe)
    check_files(context, start)
    with open_run(context.run, context.recipe) if distributed.is_first() else nullcontext():
        yield context


def prepare(recipe: Recipe) -> None:
    """Fix what results depend on beside the recipe: seeds, threads, the device and deterministic algorithms."""
    torch.manual_seed(recipe.seed)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    use_device(choose_device(recipe.device))


def active_stages(recipe: Recipe) -> list[str]:
    """The compression stages that the recipe has, in order.

    Raises:
        InputError: there is none, or the recipe's sections do not fit its order.

    """
    return [stage.name for stage in planned_stages(recipe)]


def _last_before_bits(recipe: Recipe) -> str | None:
    """The stage that leaves the whole sparsity in float, if one does."""
    before = [name for name in active_stages(recipe) if name in ("prune", "finetune")]
    return None if prunes_under_quantizers(recipe) or not before else before[-1]


def _starting_network(context: Context, names: list[str], number: int, start: str | None) -> StereoNetwork:
    if start is not None:
        return context.opened(start, context.recipe.network.name)
    for earlier in range(number - 1, 0, -1):
        folder = stage_folder(context.run, earlier, names[earlier - 1])
        if (folder / SIDE_FILE).is_file():
            return context.opened(str(folder), None)
    return context.dense


def _evaluate(context: Context, network: StereoNetwork, stage: str) -> None:
    folder = context.run / "evaluation"
    done = folder / f"{stage}.json"
    if distributed.first_says(done.is_file()):
        return
    started = time.monotonic()
    with context.stop.at_once(context.run):
        results = _score(context, network, stage, pictures=context.recipe.report.pictures)
    check_present(context.run, RECIPE_FILE)
    if not distributed.is_first():
        return
    maps = [save_maps(folder / stage, item.maps) for item in results[:1]]
    seconds = round(time.monotonic() - started, 1)
    write_sealed(done, {"rows": [item.row for item in results], "seconds": seconds, "maps": maps[0] if maps else {}})


def _score(context: Context, network: StereoNetwork, stage: str, pictures: int) -> list[Any]:
    data = context.recipe.data
    return evaluate_all(network, data.test, stage=stage, mask_disparity=data.mask_disparity, pictures=pictures)
