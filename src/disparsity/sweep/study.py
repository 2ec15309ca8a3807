"""Optuna study of a sweep, which any number of workers share through its storage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra
from disparsity.recipe.sweep import Parameter, SweepSettings

STUDY_NAME = "disparsity"
_LOCK_SECONDS = 60
_RECIPE, _PLACE = "recipe", "place"


class Study:
    """Trials and what became of them.

    Args:
        storage: URL of a database, as SQLAlchemy reads it.
        settings: of the sweep.
        recipe: the resolved recipe; a study belongs to one.
        seed: with a trial's number it determines what is proposed there, given what is known by then.

    Raises:
        InputError: the storage cannot be opened, or holds the study of another recipe.

    """

    def __init__(self, storage: str, settings: SweepSettings, recipe: str, seed: int) -> None:
        self._optuna = import_extra("optuna", "sweep")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._settings = settings
        self._seed = seed
        self._study = self._opened(storage)
        stored = self._study.user_attrs.get(_RECIPE)
        if stored is None:
            self._study.set_user_attr(_RECIPE, recipe)
        elif stored != recipe:
            raise InputError(
                "the storage holds the sweep of another recipe",
                where=storage,
                remedy="choose another --out or --storage",
            )

    def propose(self, place: str) -> tuple[int, dict[str, Any]]:
        """A new trial for the worker at `place`: its number and the settings to try, by key."""
        self._study.sampler = self._sampler(len(self._study.get_trials(deepcopy=False)))
        trial = self._study.ask()
        trial.set_user_attr(_PLACE, place)
        values = {key: _suggest(trial, key, parameter) for key, parameter in self._settings.parameters.items()}
        return trial.number, values

    def begun(self, place: str) -> list[tuple[int, dict[str, Any]]]:
        """Trials that were begun at `place` and have not ended, the oldest first."""
        running = self._trials("RUNNING")
        keys = set(self._settings.parameters)
        return [
            (t.number, dict(t.params)) for t in running if t.user_attrs.get(_PLACE) == place and set(t.params) == keys
        ]

    def finish(self, number: int, error: float, cost: float) -> None:
        """A trial's run has ended with these values."""
        self._study.tell(number, [error, cost])

    def fail(self, number: int, reason: str) -> None:
        """A trial's settings cannot be run; they count as tried."""
        self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)
        self._study.set_user_attr(f"failed {number}", reason)

    def finished(self) -> list[dict[str, Any]]:
        """Every finished trial: number, settings, error, cost, and whether it is on the Pareto front of the two."""
        front = {trial.number for trial in self._study.best_trials}
        return [
            {
                "number": t.number,
                "settings": dict(t.params),
                "error": t.values[0],
                "cost": t.values[1],
                "on_front": t.number in front,
            }
            for t in self._trials("COMPLETE")
        ]

    def failed(self) -> dict[int, str]:
        """Why trials could not be run, by number."""
        attributes = self._study.user_attrs
        return {int(key.removeprefix("failed ")): text for key, text in attributes.items() if key.startswith("failed ")}

    def taken(self) -> int:
        """Trials that have ended well or are under way."""
        return len(self._trials("COMPLETE")) + len(self._trials("RUNNING"))

    def _trials(self, *states: str) -> Sequence[Any]:
        wanted = tuple(self._optuna.trial.TrialState[state] for state in states)
        return self._study.get_trials(deepcopy=False, states=wanted)

    def _opened(self, storage: str) -> Any:
        arguments = {"connect_args": {"timeout": _LOCK_SECONDS}} if storage.startswith("sqlite") else {}
        try:
            backend = self._optuna.storages.RDBStorage(storage, engine_kwargs=arguments)
            return self._optuna.create_study(
                storage=backend, study_name=STUDY_NAME, directions=["minimize", "minimize"], load_if_exists=True
            )
        except Exception as error:
            found = str(error).partition("\n")[0]
            raise InputError("the storage of the sweep cannot be opened", where=storage, found=found) from error

    def _sampler(self, number: int) -> Any:
        samplers = self._optuna.samplers
        kinds = {"tpe": samplers.TPESampler, "nsga2": samplers.NSGAIISampler, "random": samplers.RandomSampler}
        return kinds[self._settings.sampler](seed=self._seed + number)


def default_storage(out: Path) -> str:
    """A database in the sweep's folder."""
    return f"sqlite:///{out.resolve() / 'study.db'}"


def _suggest(trial: Any, key: str, parameter: Parameter) -> Any:
    if parameter.choices:
        return trial.suggest_categorical(key, list(parameter.choices))
    suggest = trial.suggest_int if parameter.whole else trial.suggest_float
    return suggest(key, parameter.low, parameter.high, log=parameter.log)
