"""Every name that a user may write, by kind, straight from the registries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from disparsity.checkpoint.restore import builtin_checkpoints
from disparsity.datasets.uri import list_schemes
from disparsity.finetune.modes import MODES
from disparsity.finetune.teachers import TEACHERS
from disparsity.hwcost.profiles.technology import profile_names
from disparsity.pruning.patterns import PATTERNS
from disparsity.pruning.schedules import SCHEDULES
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.scores.registry import SCORES
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.quantizers import QUANTIZERS
from disparsity.recipe.plan import ORDERS
from disparsity.stereo.networks import NETWORKS
from disparsity.stereo.networks.describe import describe_network

Names = Mapping[str, object] | Iterable[str]

CATALOGUE: dict[str, Callable[[], Names]] = {
    "networks": lambda: {name: describe_network(name) for name in NETWORKS},
    "checkpoints": builtin_checkpoints,
    "scores": lambda: {name: score.description for name, score in SCORES.items()},
    "scopes": lambda: SCOPES,
    "schedules": lambda: SCHEDULES,
    "patterns": lambda: PATTERNS,
    "modes": lambda: {name: kind.summary for name, kind in MODES.items()},
    "quantizers": lambda: {name: builder.summary for name, builder in QUANTIZERS.items()},
    "allocations": lambda: {name: kind.description for name, kind in ALLOCATIONS.items()},
    "teachers": lambda: TEACHERS,
    "orders": lambda: ORDERS,
    "profiles": profile_names,
    "data": list_schemes,
}
