"""Recipe: every setting of a run, read from a TOML file, checked key by key, and written with all defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tomli_w
from pydantic import Field

from disparsity.base.errors import InputError
from disparsity.base.settings import settings
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.renamed_keys import refuse_renamed
from disparsity.recipe.sections import DataSection, NetworkSection, PruneSection, QuantizeSection, ReportSection
from disparsity.recipe.sweep import SweepSettings
from disparsity.recipe.table import apply_change, from_table, to_table

_MOST_THREADS = 256


@settings
class Recipe:
    """A whole run. A section that is absent (None) is a stage that does not happen.

    Attributes:
        seed: of everything random.
        threads: per process; 0 leaves it to torch.
        processes: on this machine, each with its part of every batch; a launcher such as torchrun overrides it. The
            number of processes and threads is part of what a run's bits depend on.
        device: `cpu`, `cuda`, `cuda:N`, or `auto`: a GPU where there is one.
        network: what is compressed.
        data: what it is trained and judged on.
        train: dense training, for the command `train`.
        prune: stage one.
        finetune: training with the masks frozen.
        quantize: stage two.
        finetune_quantized: quantization-aware training.
        order: a name in `ORDERS`: in which order the stages come.
        rounds: of order `alternating`, which share the steps and events of their sections; 1 elsewhere.
        report: what is counted and drawn.
        sweep: what the command `sweep` varies; other commands leave it alone.

    """

    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
    threads: Annotated[int, Field(ge=0, le=_MOST_THREADS)] = 0
    processes: Annotated[int, Field(ge=1, le=_MOST_THREADS)] = 1
    device: str = "auto"
    network: NetworkSection = NetworkSection()
    data: DataSection = DataSection()
    train: TrainSettings | None = None
    prune: PruneSection | None = None
    finetune: TrainSettings | None = None
    quantize: QuantizeSection | None = None
    finetune_quantized: TrainSettings | None = None
    order: str = "prune_quantize"
    rounds: int = 1
    report: ReportSection = ReportSection()
    sweep: SweepSettings | None = None

    @property
    def phases(self) -> dict[str, TrainSettings]:
        """The training phases that the recipe has, by the key of their settings."""
        phases = {
            "train": self.train,
            "prune.train": self.prune.train if self.prune else None,
            "finetune": self.finetune,
            "finetune_quantized": self.finetune_quantized,
        }
        return {key: settings for key, settings in phases.items() if settings is not None}


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply `a.b=value` changes (values in TOML notation, bare words are strings).

    Raises:
        InputError: the file is missing or not TOML, or a key or value is wrong; the nearest valid key is named.

    """
    if not path.is_file():
        raise InputError("no such recipe", where=path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("not a TOML file", where=path, found=str(error)) from error
    for change in changes:
        apply_change(table, change)
    refuse_renamed(table, str(path))
    return from_table(Recipe, table, str(path))


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with `a.b=value` changes.

    Raises:
        InputError: a key or value is wrong, or the changed recipe is impossible.

    """
    table = to_table(recipe, whole=False)
    for change in changes:
        apply_change(table, change)
    refuse_renamed(table, "recipe")
    return from_table(Recipe, table, "recipe")


def to_toml(recipe: Recipe) -> str:
    """The recipe with every default written out; reading it back gives the same recipe."""
    return tomli_w.dumps(to_table(recipe, whole=True))
