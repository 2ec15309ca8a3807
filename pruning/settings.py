"""Settings of stage one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from disparsity.base.errors import InputError
from disparsity.pruning.patterns import check_pattern, group_law
from disparsity.pruning.schedules import CYCLES, SCHEDULES
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.scores.normalisation import NORMALISATIONS
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.taylor import TAYLOR_FORMS


@dataclass(frozen=True, kw_only=True)
class PruneSettings:
    """What is removed, and how fast.

    Attributes:
        sparsity: share of the prunable weights to remove in the end, 0..1.
        score: name in `SCORES`.
        score_decay: share of the running Taylor average that a step keeps.
        score_batches: batches of a scoring pass (`taylor_pass`, `quant_aware`, `snip`), or samples (`fisher_obs`).
        taylor_form: name in `TAYLOR_FORMS`, for `taylor`, `taylor_pass` and `quant_aware`.
        normalisation: name in `NORMALISATIONS`, before the division by MACs.
        mac_power: scores are divided by the MACs per weight to this power.
        scope: name in `SCOPES`.
        schedule: name in `SCHEDULES`.
        first_sparsity: the first event goes straight to this sparsity, the schedule grows from there; 0 starts dense.
        pattern: name in `PATTERNS`, or any "N:M".
        events: how often weights are removed.
        event_share: events are spread over this share of the steps.
        event_warmup: share of the steps before the first interval, in which scores gather and nothing is removed.
        floor_share: share of its weights that every layer keeps; with pattern `channel`, share of its output channels.
        floor_per_filter: weights per output filter that every layer keeps on average.

    """

    sparsity: float
    score: str = "taylor"
    score_decay: float = 0.95
    score_batches: int = 16
    taylor_form: str = "mean_sq"
    normalisation: str = "none"
    mac_power: float = 0.0
    scope: str = "global"
    schedule: str = "log_density"
    first_sparsity: float = 0.0
    pattern: str = "element"
    events: int = 12
    event_share: float = 1.0
    event_warmup: float = 0.0
    floor_share: float = 0.002
    floor_per_filter: float = 0.0

    def __post_init__(self) -> None:
        """Refuse unknown names and values outside their range."""
        for kind, name, known in (
            ("score", self.score, SCORES),
            ("taylor_form", self.taylor_form, TAYLOR_FORMS),
            ("normalisation", self.normalisation, NORMALISATIONS),
            ("scope", self.scope, SCOPES),
            ("schedule", self.schedule, SCHEDULES),
        ):
            if name not in known:
                raise InputError(f"unknown {kind} '{name}'", expected=", ".join(known))
        if not 0.0 <= self.sparsity < 1.0:
            raise InputError("sparsity out of range", found=self.sparsity, expected="0 <= sparsity < 1")
        if not 0.0 <= self.first_sparsity <= self.sparsity:
            raise InputError("first_sparsity out of range", found=self.first_sparsity, expected="0 to sparsity")
        if self.score_batches < 1 or not math.isfinite(self.mac_power):
            raise InputError("impossible scoring", found=self, expected="score_batches >= 1, mac_power finite")
        if not (0.0 <= self.floor_share <= 1.0 and 0.0 <= self.floor_per_filter < math.inf):
            raise InputError("floor out of range", found=self, expected="floor_share in 0..1, floor_per_filter >= 0")
        self._check_schedule()
        self._check_pattern()

    def _check_schedule(self) -> None:
        if self.events < 1 or not 0.0 < self.event_share <= 1.0 or not 0.0 <= self.score_decay < 1.0:
            raise InputError("impossible pruning schedule", found=self, expected="events >= 1, shares in 0..1")
        if not 0.0 <= self.event_warmup < self.event_share:
            raise InputError("event_warmup out of range", found=self.event_warmup, expected="0 to below event_share")
        if self.schedule == "cyclic" and self.events < 2 * CYCLES:
            raise InputError("too few events for cycles", found=self.events, expected=f"{2 * CYCLES} or more")

    def _check_pattern(self) -> None:
        check_pattern(self.pattern)
        if self.pattern == "channel" and (self.scope != "global" or self.floor_per_filter):
            raise InputError(
                "pattern 'channel' compares channels of the whole network",
                found=f"scope {self.scope}, floor_per_filter {self.floor_per_filter}",
                expected="scope global, floor_per_filter 0",
            )
        law = group_law(self.pattern)
        if law is None:
            return
        most = law[0] / law[1]
        if 1.0 - self.sparsity > most + 1e-9:
            raise InputError("sparsity below the pattern's", found=self.sparsity, expected=f"{1.0 - most:g} or more")
        if self.scope not in ("global", "per_layer") or self.floor_per_filter or self.floor_share > most:
            raise InputError(
                f"pattern '{self.pattern}' leaves no room for these densities of layers",
                found=f"scope {self.scope}, floor_share {self.floor_share}, floor_per_filter {self.floor_per_filter}",
                expected=f"scope global or per_layer, floor_share at most {most:g}, floor_per_filter 0",
            )
