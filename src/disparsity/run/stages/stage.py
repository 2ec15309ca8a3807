"""A stage of a run: its kind, and how it makes one network from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.recipe.stages import StageKind
from disparsity.run.context import StageContext
from disparsity.stereo.network import StereoNetwork


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An entry of the list of stages.

    Attributes:
        kind: name, section, and whether it trains, prunes or quantizes.
        run: from the network before the stage, which it may change, to the network after it.

    """

    kind: StageKind
    run: Callable[[StageContext, StereoNetwork], StereoNetwork]
