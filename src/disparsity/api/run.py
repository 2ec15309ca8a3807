"""`disparsity.run`: a recipe from end to end, and what its folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from disparsity import pipeline
from disparsity.api.network import Network, load
from disparsity.api.report import Report
from disparsity.base.errors import InputError
from disparsity.evaluation.evaluation import load_panels
from disparsity.recipe.recipe import Recipe, changed, load_recipe
from disparsity.recipe.table import from_table
from disparsity.registries import check_name, recipe_path
from disparsity.report.build import PACKED_FILE, finished_stages
from disparsity.report.figures.mask_figures import channel_maps, weight_masks
from disparsity.report.figures.training_chart import training_curves
from disparsity.report.schema import parse_report
from disparsity.report.write import panel_figure
from disparsity.run.folder import history, stored_recipe

_DRAWN_MASKS = {"channel_maps": channel_maps, "weight_masks": weight_masks}


@dataclass(frozen=True)
class FinishedStage:
    """A finished stage of a run.

    Attributes:
        name: such as `prune`.
        folder: with its checkpoint, which `load` takes.

    """

    name: str
    folder: Path

    @property
    def accuracy(self) -> list[dict[str, Any]]:
        """The figures of `evaluate` on every test set, where the stage was run alone; empty elsewhere."""
        path = self.folder / "accuracy.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


class Run:
    """The folder of a run, whether it was made just now or long ago."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @cached_property
    def report(self) -> Report:
        """The run's report.

        Raises:
            InputError: the run has none yet.

        """
        path = self.folder / "report" / "report.json"
        if not path.is_file():
            raise InputError("the run has no report", where=self.folder, remedy="run its recipe to the end")
        return Report(parse_report(path.read_bytes(), path))

    @property
    def stages(self) -> list[FinishedStage]:
        """The finished stages, in order."""
        return [FinishedStage(path.name.partition("-")[2], path) for path in finished_stages(self.folder)]

    @property
    def packed(self) -> Path:
        """The packed file of the compressed network."""
        return self.folder / PACKED_FILE

    @cached_property
    def network(self) -> Network:
        """The network after the last stage, opened on the CPU.

        Raises:
            InputError: the run has no finished stage.

        """
        if not self.stages:
            raise InputError("the run has no finished stage", where=self.folder)
        return load(self.stages[-1].folder, stored_recipe(self.folder).network.name, device="cpu")

    def figure(self, name: str, pair: int = 0) -> Figure | None:
        """One figure of the run.

        Args:
            name: one of `Report.figure`, or `training_curves`, `channel_maps`, `weight_masks`, or `pair`: disparity and
                error of one test pair before and after.
            pair: the number of that pair, from 0.

        Returns:
            a matplotlib figure; None where there is nothing to draw.

        Raises:
            InputError: there is no such figure.

        """
        if name in _DRAWN_MASKS:
            return _DRAWN_MASKS[name](self.network.masks)
        if name == "training_curves":
            return training_curves(history(self.folder))
        if name != "pair":
            return self.report.figure(name)
        maps, (uri, *_) = self.folder / "evaluation", stored_recipe(self.folder).data.test
        last = "quantized" if (maps / "quantized").is_dir() else "pruned"
        panels = load_panels(uri, maps / "dense", maps / last)
        check_name(str(pair), [str(number) for number in range(len(panels))], "pairs")
        return panel_figure(panels[pair])


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    out: str | Path,
    changes: Mapping[str, Any] | None = None,
    *,
    stage: str | None = None,
    start: str | Path | None = None,
    report: bool = True,
) -> Run:
    """Prune, fine-tune, quantize, fine-tune, evaluate, cost and report; the same call resumes a stopped run.

    Args:
        recipe: the name of an installed recipe (see `disparsity list recipes`), a path to a TOML file, or the same as a
            dict.
        out: the run's folder.
        changes: settings to change, in order, such as ``{"prune.sparsity": 0.95}``; nested tables do as well.
        stage: run this stage alone: `train`, `prune`, `finetune`, `quantize` or `finetune_quantized`.
        start: the checkpoint that a single stage starts from; None takes the stage before it.
        report: else every stage is run and scored, without the costs, the figures and the report.

    Returns:
        the run: its report, network, stages and figures.

    Raises:
        InputError: the recipe, its data or the folder is wrong.
        DivergedError: a loss or gradient is not finite.

    Example:
        >>> run = disparsity.run("demo", out="run", changes={"prune.sparsity": 0.9})
        >>> run.report["memory"]["packed_file_bytes"] == run.packed.stat().st_size
        True
        >>> [stage.name for stage in run.stages]
        ['prune', 'finetune', 'quantize']
        >>> run.network.predict("left.png", "right.png").shape
        (96, 192)

    """
    resolved, folder = resolve(recipe, changes), Path(out)
    if start is not None and stage is None:
        raise InputError("a start is of a single stage", found=start, expected="stage=NAME")
    if resolved.processes > 1:
        remedy = "start it with the command: disparsity run"
        raise InputError("several processes share this recipe", found=resolved.processes, remedy=remedy)
    if stage is None and report:
        pipeline.run(resolved, folder)
    elif stage is not None:
        pipeline.run_single(resolved, folder, stage, None if start is None else str(start))
    else:
        for name in pipeline.active_stages(resolved):
            pipeline.run_single(resolved, folder, name, None)
    return Run(folder)


def resolve(recipe: str | Path | Mapping[str, Any] | Recipe, changes: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe that is meant, with the changed settings."""
    texts = [f"{key}={json.dumps(value, default=str)}" for key, value in dotted(changes or {}).items()]
    if isinstance(recipe, str | Path):
        return load_recipe(recipe_path(Path(recipe)), texts)
    found = recipe if isinstance(recipe, Recipe) else from_table(Recipe, recipe, "recipe")
    return changed(found, texts) if texts else found


def dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested tables by their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
