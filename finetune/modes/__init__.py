"""Fine-tuning modes: what happens to pruned weights when weights are removed and while training goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.base.errors import InputError
from disparsity.finetune.modes.alternating import Alternating
from disparsity.finetune.modes.base import Mode
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.reconstruct import Reconstruct, Solver
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.rigl import RigL
from disparsity.finetune.modes.settings import ModeSettings
from disparsity.finetune.modes.soft import Soft


@dataclass(frozen=True)
class ModeKind:
    """One mode of the registry.

    Attributes:
        build: makes the mode from its settings and from what solves the network's layers.
        summary: one line for `disparsity list modes`.
        single: it moves single weights, so that it cannot serve pattern `channel`.
        from_zero: it lets weights return at zero, where a position-scaled update towards zero would hold them.

    """

    build: Callable[[ModeSettings, Solver], Mode]
    summary: str
    single: bool = False
    from_zero: bool = False


MODES: dict[str, ModeKind] = {
    "frozen": ModeKind(lambda _settings, _solver: Frozen(), "pruned weights stay zero"),
    "regrow": ModeKind(
        lambda settings, _solver: Regrow(settings.handicap, settings.exchange),
        "pruned weights may return while sparsity grows",
        single=True,
    ),
    "reconstruct": ModeKind(
        lambda _settings, solver: Reconstruct(solver),
        "after every event each layer's survivors are solved by least squares",
    ),
    "alternating": ModeKind(
        lambda settings, _solver: Alternating(settings.dense_share),
        "between two events first a sparse phase, then a dense one without masks",
        single=True,
        from_zero=True,
    ),
    "soft": ModeKind(
        lambda settings, _solver: Soft(settings.fade),
        "pruned weights fade by a factor per step instead of being cut",
        single=True,
    ),
    "rigl": ModeKind(
        lambda settings, _solver: RigL(settings.exchange),
        "at every event weights are dropped by score and others grown by gradient",
        single=True,
        from_zero=True,
    ),
}


def build_mode(settings: ModeSettings, solver: Solver) -> Mode:
    """The mode that `settings` name.

    Raises:
        InputError: there is no such mode, or one of its settings is out of range.

    """
    if settings.mode not in MODES:
        raise InputError(f"unknown mode '{settings.mode}'", where="prune.mode", expected=", ".join(MODES))
    return MODES[settings.mode].build(settings, solver)
