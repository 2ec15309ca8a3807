"""Recipes: TOML files that name every setting of a run, checked key by key before anything starts."""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from disparsity.base.errors import InputError
from disparsity.datasets.augmentation.pair import AugmentSettings
from disparsity.finetune.modes.settings import ModeSettings
from disparsity.finetune.reconstruction.least_squares import ReconstructSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.pruning.settings import PruneSettings
from disparsity.quant.allocations.settings import AllocationSettings
from disparsity.quant.layer_bits import QuantSettings
from disparsity.quant.quantizers.settings import QuantizerSettings
from disparsity.recipe.sweep import SweepSettings

ROUNDINGS = ("nearest", "reconstruct")
MIXED_SIZES = ("refuse", "pad")
_SIZE_DIGITS = 5
_MOST_ERRORS = 20

Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class NetworkSection:
    """Which network, and the weights it starts from.

    Attributes:
        name: preset name, or `module:callable` of a network of your own.
        checkpoint: `builtin:NAME`, a checkpoint of ours, a published file, or empty for fresh weights.

    """

    name: str = "reference"
    checkpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class DataSection:
    """What is trained on and what is judged on, as data URIs.

    Attributes:
        train: URIs that training batches are drawn from.
        weights: how often each of them is drawn; empty draws them alike.
        test: URIs that are only evaluated.
        batch: pairs per step.
        workers: processes that make the batches ahead; 0 makes them in turn with the training. The bits are the same.
        mixed_sizes: `refuse` pairs smaller than the crop, or whole pairs of several sizes in a batch; or `pad` them at
            the top and on the right, where nothing is scored.
        crop: `HxW` of the random training crops, or empty for whole pairs.
        calibration: URIs of the pairs that reconstruction and calibration look at, without their labels; empty takes
            the training URIs.
        calibration_crop: `HxW` of those crops; empty takes `crop`.
        augment: brightness, contrast and gamma changes, and vertical flips.
        augmentation: instead of `augment`: the field's stronger changes, each with its strength.
        mask_disparity: pixels with ground truth at or above this are neither trained on nor scored; 0 keeps all.

    """

    train: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    test: tuple[str, ...] = ()
    batch: int = 4
    workers: int = 0
    mixed_sizes: str = "refuse"
    crop: str = ""
    calibration: tuple[str, ...] = ()
    calibration_crop: str = ""
    augment: bool = False
    augmentation: AugmentSettings | None = None
    mask_disparity: float = 0.0

    def __post_init__(self) -> None:
        """Refuse two kinds of augmentation at once."""
        if self.augment and self.augmentation is not None:
            raise InputError("two kinds of augmentation", expected="augment or a section augmentation, not both")


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """What the report shows.

    Attributes:
        profile: energy and area profile.
        size: `HxW` at which costs are counted; empty takes the first test pair's size.
        pictures: how many test pairs are drawn.
        runtime: measures wall-clock latency in it, `onnxruntime` or `openvino`; empty measures nothing.
        latency_runs: of every network that is measured.
        tensorboard: writes the metrics of training for TensorBoard too (extra `tensorboard`), beside metrics.jsonl.

    """

    profile: str = "horowitz45"
    size: str = ""
    pictures: int = 3
    runtime: str = ""
    latency_runs: int = 20
    tensorboard: bool = False


@dataclass(frozen=True, kw_only=True)
class PruneSection(ModeSettings, PruneSettings):
    """Stage one: what is removed, and how the network is trained meanwhile.

    Attributes:
        train: the training during the events.
        reconstruct: used by mode `reconstruct`.

    """

    train: TrainSettings = field(default_factory=lambda: TrainSettings(steps=0, rate="constant"))
    reconstruct: ReconstructSettings = field(default_factory=ReconstructSettings)


@dataclass(frozen=True, kw_only=True)
class QuantizeSection(AllocationSettings, QuantizerSettings, QuantSettings):
    """Stage two: the grids, and how weights get onto them.

    Every input has its own step, the cost volume as the input of the layers that filter it. Biases are float16; the
    soft-argmin, up-sampling and warping stay in float32.

    Attributes:
        calibration: how the steps of activations are chosen: `mse`, `percentile`, `max` (min-max), or `auto`: `max`
            for inputs of 8 bits and more, `mse` below.
        rounding: `nearest`, or `reconstruct`: one weight after the other, the rest of its filter making up for it.
        reconstruct: used by `reconstruct`.

    """

    calibration: str = "auto"
    rounding: str = "reconstruct"
    reconstruct: ReconstructSettings = field(default_factory=ReconstructSettings)

    def __post_init__(self) -> None:
        """Refuse an unknown rounding."""
        QuantSettings.__post_init__(self)
        QuantizerSettings.__post_init__(self)
        AllocationSettings.__post_init__(self)
        if self.rounding not in ROUNDINGS:
            raise InputError("unknown rounding", found=self.rounding, expected=", ".join(ROUNDINGS))


@dataclass(frozen=True, kw_only=True)
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

    seed: int = 0
    threads: int = 0
    processes: int = 1
    device: str = "auto"
    network: NetworkSection = field(default_factory=NetworkSection)
    data: DataSection = field(default_factory=DataSection)
    train: TrainSettings | None = None
    prune: PruneSection | None = None
    finetune: TrainSettings | None = None
    quantize: QuantizeSection | None = None
    finetune_quantized: TrainSettings | None = None
    order: str = "prune_quantize"
    rounds: int = 1
    report: ReportSection = field(default_factory=ReportSection)
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
        _apply(table, change)
    return from_table(Recipe, table, str(path))


def changed(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with `a.b=value` changes.

    Raises:
        InputError: a key or value is wrong, or the changed recipe is impossible.

    """
    table = tomllib.loads(to_toml(recipe))
    for change in changes:
        _apply(table, change)
    return from_table(Recipe, table, "recipe")


def from_table(kind: type[Section], table: Mapping[str, Any], where: str) -> Section:
    """Build a settings dataclass from a table.

    Raises:
        InputError: keys are unknown or missing, or values are of a wrong type or impossible; all of them are named.

    """
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    wrong = [_unknown(key, known, where) for key in table if key not in known]
    wrong += [InputError(f"missing key '{name}'", where=where) for name in known if _is_missing(known[name], table)]
    values = {}
    for key in [key for key in table if key in known]:
        try:
            values[key] = _value(hints[key], table[key], f"{where}: {key}")
        except InputError as error:
            wrong.append(error)
    if wrong:
        raise _joined(wrong)
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(str(error), where=where) from error


def _unknown(key: str, known: Mapping[str, Any], where: str) -> InputError:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    remedy = f"did you mean '{near[0]}'?" if near else None
    return InputError(f"unknown key '{key[:80]}'", where=where, expected=", ".join(known), remedy=remedy)


def _is_missing(item: dataclasses.Field[Any], table: Mapping[str, Any]) -> bool:
    required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    return required and item.name not in table


def _joined(errors: Sequence[InputError]) -> InputError:
    """All that is wrong in one line."""
    return errors[0] if len(errors) == 1 else InputError(" | ".join(str(error) for error in errors[:_MOST_ERRORS]))


def to_toml(recipe: Recipe) -> str:
    """The recipe with every default written out; reading it back gives the same recipe."""
    return "\n".join(_lines(dataclasses.asdict(recipe), ())) + "\n"


def parse_size(text: str, where: str) -> tuple[int, int]:
    """Height and width from `HxW`.

    Raises:
        InputError: the text is not two positive numbers with an x between them.

    """
    parts = text.lower().split("x")
    digits = all(part.isascii() and part.isdigit() and len(part) <= _SIZE_DIGITS for part in parts)
    if len(parts) != 2 or not digits or not all(int(part) > 0 for part in parts):
        raise InputError("not a size", where=where, found=repr(text), expected="HxW, e.g. 544x960")
    return int(parts[0]), int(parts[1])


def _value(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise InputError("not a table", where=where, found=repr(value))
        return from_table(typing.cast(type[Any], hint), value, where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise InputError("not a list", where=where, found=repr(value))
        return tuple(_value(typing.get_args(hint)[0], item, where) for item in value)
    if hint is float and type(value) in (int, float):
        return _finite(value, where)
    if type(value) is not hint:
        raise InputError("wrong type", where=where, found=repr(value), expected=hint.__name__)
    return value


def _finite(value: float, where: str) -> float:
    if not -sys.float_info.max <= value <= sys.float_info.max:
        raise InputError("not a finite number", where=where, found=str(value)[:20])
    return float(value)


def _apply(table: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise InputError("not a change of a setting", where="--set", found=repr(change), expected="a.b=value")
    *path, last = key.strip().split(".")
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise InputError(f"'{part}' is not a section", where="--set", found=change)
    table[last] = _toml_value(text.strip())


def _toml_value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text  # a line break must not smuggle in another key


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if value is not None and not isinstance(value, Mapping)}
    lines = [f"{key} = {_toml_text(value)}" for key, value in plain.items()]
    if path and (plain or not table):
        lines = ["", f"[{'.'.join(path)}]", *lines]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _lines(value, (*path, key))
    return lines


def _toml_text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml_text(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one character TOML wants escaped too
