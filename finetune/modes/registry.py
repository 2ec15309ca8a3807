"""Registry of the fine-tuning modes: the treatment of pruned weights at events and during training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from disparsity.finetune.modes.alternating import Alternating
from disparsity.finetune.modes.base import Mode
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.reconstruct import Reconstruct
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.rigl import RigL
from disparsity.finetune.modes.soft import Soft

MODES: dict[str, Callable[[Any, Any], Mode]] = {
    "frozen": lambda _settings, _solver: Frozen(),
    "regrow": lambda settings, _solver: Regrow(settings),
    "reconstruct": lambda _settings, solver: Reconstruct(solver),
    "alternating": lambda settings, _solver: Alternating(settings),
    "soft": lambda settings, _solver: Soft(settings),
    "rigl": lambda settings, _solver: RigL(settings),
}
"""Every mode by name, from its settings and from the `Solver` of the network (None but for mode `reconstruct`)."""
