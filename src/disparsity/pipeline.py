"""The whole pipeline: stages in order, evaluation after those that end one, then costs and the report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from disparsity.base import distributed
from disparsity.base.atomic_io import write_json
from disparsity.base.checksummed_json import write_checksummed
from disparsity.base.devices import choose_device, use_device
from disparsity.base.signals import StopRequest, stop_on_signal
from disparsity.checkpoint.checkpoints import SIDE_FILE
from disparsity.evaluation.evaluation import evaluate_all, save_maps
from disparsity.recipe.plan import PlannedStage, planned_stages, single_stage
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.stages import last_float_stage
from disparsity.report.build import build_report
from disparsity.report.report import Report
from disparsity.run.checks import check_files, check_report, check_settings
from disparsity.run.context import RunContext, open_context
from disparsity.run.folder import RECIPE_FILE, check_folder, check_present, open_run, stage_folder
from disparsity.run.manifest import write_manifest
from disparsity.run.stage_needs import check_needs
from disparsity.run.stages.registry import run_stage
from disparsity.stereo.network import StereoNetwork


def run(recipe: Recipe, out: Path) -> Report | None:
    """Prune, fine-tune, quantize, fine-tune, evaluate, cost and report; a stopped run resumes where it was.

    Returns:
        the report, as written to `report/`; None in all processes of the run but the first.

    Raises:
        InputError: the recipe, its data or the folder is wrong.
        StoppedError: a signal has stopped the run; the same call resumes.

    """
    planned = planned_stages(recipe)
    check_settings(recipe)
    check_report(recipe)
    check_folder(out, recipe)
    prepare(recipe)
    last_float = last_float_stage([stage.kind for stage in planned])
    with stop_on_signal() as stop, _opened(recipe, out, stop, planned) as (context, dense):
        _evaluate(context, dense, "dense")
        network = dense
        for place, stage in enumerate(planned):
            with nullcontext() if stage.kind.trains else stop.at_once(out):
                network = run_stage(context, stage, network)
            check_present(out, RECIPE_FILE)
            if place == last_float:
                _evaluate(context, network, "pruned")
            stop.raise_if_asked(out)
        if recipe.quantize is not None:
            _evaluate(context, network, "quantized")
        stop.raise_if_asked(out)
        report = None
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
    stage = single_stage(recipe, name)
    check_settings(recipe)
    check_folder(out, recipe)
    prepare(recipe)
    with stop_on_signal() as stop, _opened(recipe, out, stop, [stage], start) as (context, network):
        trained = run_stage(context, stage, network)
        folder = stage_folder(out, stage.number, name)
        rows = [item.row for item in _score(context, trained, name, pictures=0)]
        if distributed.is_first():
            write_json(folder / "accuracy.json", rows)
            write_manifest(out, recipe)
    return folder


@contextmanager
def _opened(
    recipe: Recipe, out: Path, stop: StopRequest, planned: Sequence[PlannedStage], start: str | None = None
) -> Iterator[tuple[RunContext, StereoNetwork]]:
    """The run's folder, made or returned to once all that the recipe names is open and checked.

    Yields:
        what the stages share, and the network that the first one starts from: of the checkpoint `start`, else of the
        last finished stage before it, else the dense one.

    """
    context = open_context(recipe, out, stop)
    if start is None:
        network = _last_before(context, planned[0]) or context.dense
    else:
        network = context.opened(start, recipe.network.name)
    check_needs([stage.kind for stage in planned], network)
    check_files(context, network)
    with open_run(out, recipe) if distributed.is_first() else nullcontext():
        yield context, network


def prepare(recipe: Recipe) -> None:
    """Fix what results depend on beside the recipe: seeds, threads, the device and deterministic algorithms."""
    torch.manual_seed(recipe.seed)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    use_device(choose_device(recipe.device))


def active_stages(recipe: Recipe) -> list[str]:
    """The names of the compression stages that the recipe has, in order.

    Raises:
        InputError: there is none, or the recipe's sections do not fit its order.

    """
    return [stage.kind.name for stage in planned_stages(recipe)]


def _last_before(context: RunContext, stage: PlannedStage) -> StereoNetwork | None:
    """The network of the last finished stage before a compression stage, if there is one."""
    earlier = planned_stages(context.recipe)[: stage.number - 1] if stage.kind.compresses else []
    for planned in reversed(earlier):
        folder = stage_folder(context.folder, planned.number, planned.kind.name)
        if (folder / SIDE_FILE).is_file():
            return context.opened(str(folder), None)
    return None


def _evaluate(context: RunContext, network: StereoNetwork, stage: str) -> None:
    folder = context.folder / "evaluation"
    done = folder / f"{stage}.json"
    if distributed.from_rank0(done.is_file()):
        return
    started = time.monotonic()
    with context.stop.at_once(context.folder):
        results = _score(context, network, stage, pictures=context.recipe.report.pictures)
    check_present(context.folder, RECIPE_FILE)
    if not distributed.is_first():
        return
    maps = [save_maps(folder / stage, item.maps) for item in results[:1]]
    seconds = round(time.monotonic() - started, 1)
    write_checksummed(
        done, {"rows": [item.row for item in results], "seconds": seconds, "maps": maps[0] if maps else {}}
    )


def _score(context: RunContext, network: StereoNetwork, stage: str, pictures: int) -> list[Any]:
    data = context.recipe.data
    return evaluate_all(network, data.test, stage=stage, mask_disparity=data.mask_disparity, pictures=pictures)
