"""Stages of a run: name, kind and settings of each, and their order, without importing torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StageKind:
    """What every part of the program but the stage itself needs to know of a stage.

    Attributes:
        name: of its section in a recipe, of its folder and of its command.
        help: of the command that runs this stage alone; empty where there is no such command.
        compresses: it belongs to the command `run`.
        training: the key of its training settings in a recipe; empty for a stage that does not train. Only training
            can be stopped in its middle: after a signal it writes a checkpoint and resumes from there.
        prunes: it removes weights.
        quantizes: it attaches quantizers.
        needs_quantizers: it works on a network that has quantizers already.

    """

    name: str
    help: str = ""
    compresses: bool = True
    training: str = ""
    prunes: bool = False
    quantizes: bool = False
    needs_quantizers: bool = False

    @property
    def trains(self) -> bool:
        """Whether the stage trains, so that a signal stops it after a clean checkpoint."""
        return bool(self.training)

    @property
    def compresses_in_float(self) -> bool:
        """Whether the stage compresses without quantizers of its own need (it also works where there are some)."""
        return self.compresses and not (self.quantizes or self.needs_quantizers)


TRAIN = StageKind(
    name="train",
    help="train a network with the recipe's [train] section",
    compresses=False,
    training="train",
)
PRUNE = StageKind(
    name="prune",
    help="stage one: remove weights with the recipe's [prune] section",
    training="prune.train",
    prunes=True,
)
FINETUNE = StageKind(
    name="finetune",
    help="train on with the masks frozen, with the recipe's [finetune] section",
    training="finetune",
)
QUANTIZE = StageKind(
    name="quantize",
    help="stage two: fold, quantize and calibrate with the recipe's [quantize] section",
    quantizes=True,
)
FINETUNE_QUANTIZED = StageKind(
    name="finetune_quantized",
    training="finetune_quantized",
    needs_quantizers=True,
)

STAGES = {stage.name: stage for stage in (TRAIN, PRUNE, FINETUNE, QUANTIZE, FINETUNE_QUANTIZED)}
"""Every stage by its name, in the usual order."""


def stage_of_folder(name: str) -> StageKind:
    """The stage that a folder such as `02-finetune` belongs to."""
    return STAGES[name.partition("-")[2]]


def last_float_stage(stages: Sequence[StageKind]) -> int | None:
    """The place of the last stage that compresses in float; None where weights are still removed after quantization."""
    first_bits = next((place for place, stage in enumerate(stages) if stage.quantizes), len(stages))
    places = [place for place, stage in enumerate(stages) if stage.compresses_in_float]
    return places[-1] if places and places[-1] < first_bits else None
