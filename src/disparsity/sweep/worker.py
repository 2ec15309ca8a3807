"""Worker of a sweep: runs the recipe with proposed settings until there are enough trials."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from disparsity.base.errors import DivergedError, InputError
from disparsity.recipe.recipe import Recipe, changed
from disparsity.recipe.sweep import COSTS, ERRORS, SweepSettings
from disparsity.run.folder import is_locked
from disparsity.sweep.study import Study

TRIALS = "trials"
Run = Callable[[Recipe, Path], Mapping[str, Any]]


def work(
    recipe: Recipe, settings: SweepSettings, study: Study, out: Path, report: Callable[[], object], run: Run
) -> None:
    """Resume interrupted runs of this folder, then run new trials until the sweep has enough.

    A stopped trial stays open: the same command resumes it. Settings that cannot be run, or whose training diverges,
    are recorded as failed and do not count as trials.

    Args:
        recipe: what is varied, without its `sweep` section.
        settings: of the sweep.
        study: shared by all workers.
        out: the sweep's folder on this machine; runs go to `trials/NNNN`.
        report: called after every run.
        run: does one run of a recipe in a folder and returns its report.

    Raises:
        StoppedError: a signal has stopped the sweep.

    """
    place = f"{socket.gethostname()}:{out.resolve()}"
    for number, values in study.begun(place):
        if not is_locked(_folder(out, number)):
            _attempt(recipe, settings, study, number, values, out, run)
            report()
    while study.taken() < settings.trials:
        number, values = study.propose(place)
        _attempt(recipe, settings, study, number, values, out, run)
        report()


def _folder(out: Path, number: int) -> Path:
    return out / TRIALS / f"{number:04d}"


def _attempt(
    recipe: Recipe,
    settings: SweepSettings,
    study: Study,
    number: int,
    values: Mapping[str, Any],
    out: Path,
    run: Run,
) -> None:
    try:
        trial = changed(recipe, [f"{key}={json.dumps(value)}" for key, value in values.items()])
        result = run(trial, _folder(out, number))
    except (InputError, DivergedError) as error:
        study.fail(number, str(error))
        return
    study.finish(number, error_of(result, settings), float(COSTS[settings.cost](result)))


def error_of(report: Mapping[str, Any], settings: SweepSettings) -> float:
    """The error of the last stage on the first test data.

    Raises:
        InputError: nothing was scored there.

    """
    rows = report["accuracy"]
    first = rows[0]["data"] if rows else None
    values = [row[ERRORS[settings.error]] for row in rows if row["data"] == first]
    if not values or values[-1] is None:
        raise InputError("the run has no error to compare", where="data.test", expected="pairs with ground truth")
    return float(values[-1])


def plain(recipe: Recipe) -> Recipe:
    """The recipe of a single run."""
    return replace(recipe, sweep=None)
