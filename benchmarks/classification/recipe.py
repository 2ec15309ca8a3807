"""What the control does, as a recipe: the defaults are the digits."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from disparsity.base.atomic_io import write_json
from disparsity.base.errors import InputError
from disparsity.recipe.recipe import from_table


@dataclass(frozen=True, kw_only=True)
class ControlRecipe:
    """All settings of the control; every run of the grid takes the same steps.

    Attributes:
        data: `digits` or `cifar10`.
        augment: shifts and mirror images while training.
        batch: images per step.
        dense_steps: of the training before pruning, once per seed.
        dense_rate: its learning rate, falling along a cosine.
        prune_steps: while weights are removed, at the constant rate `rate`.
        tune_steps: afterwards, the masks frozen, `rate` falling along a cosine.
        rate: see above.
        momentum: of SGD.
        weight_decay: of SGD.
        events: how often weights are removed.
        first_sparsity: where the first event goes at once.
        score_batches: batches of a scoring pass.
        scores: names in disparsity's registry.
        sparsities: shares of the weights to remove.
        seeds: of weights, batches and random scores.

    """

    data: str = "digits"
    augment: bool = False
    batch: int = 32
    dense_steps: int = 400
    dense_rate: float = 0.1
    prune_steps: int = 40
    tune_steps: int = 80
    rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    events: int = 8
    first_sparsity: float = 0.5
    score_batches: int = 4
    scores: tuple[str, ...] = ("taylor", "magnitude", "snip", "synflow", "random")
    sparsities: tuple[float, ...] = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
    seeds: tuple[int, ...] = (0, 1, 2)


def read_recipe(path: Path | None) -> ControlRecipe:
    """The recipe of a TOML file, or the one for the digits.

    Raises:
        InputError: the file is missing or not TOML, or a key or value is wrong.

    """
    if path is None:
        return ControlRecipe()
    if not path.is_file():
        raise InputError("no such recipe", where=path)
    try:
        return from_table(ControlRecipe, tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("not a TOML file", where=path, found=str(error)) from error


def claim_folder(out: Path, recipe: ControlRecipe) -> None:
    """Make `out` the folder of this recipe's results.

    Raises:
        InputError: it holds those of another recipe.

    """
    path = out / "recipe.json"
    settings = json.loads(json.dumps(asdict(recipe)))
    if not path.is_file():
        write_json(path, settings)
    found = json.loads(path.read_text(encoding="utf-8"))
    different = [name for name, value in settings.items() if found.get(name) != value]
    if different:
        raise InputError(
            "the folder holds results of another recipe",
            where=f"{path}: {different[0]}",
            found=found.get(different[0]),
            expected=settings[different[0]],
            remedy="name another folder",
        )
