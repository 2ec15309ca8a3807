"""Settings of the fine-tuning modes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ModeSettings:
    """What happens to pruned weights; every number is a share in 0..1 and belongs to the modes that it names.

    Attributes:
        mode: fine-tuning mode, a name in `MODES`.
        handicap: of pruned weights in mode `regrow`.
        exchange: share of the live weights. In mode `regrow`, at most this many return at one event; in mode `rigl`,
            this many are exchanged at the first event, and fewer along a cosine down to none at the last.
        dense_share: in mode `alternating`, share of the steps between two events that is taken without masks.
        fade: in mode `soft`, what a step leaves of a pruned weight.

    """

    mode: str = "frozen"
    handicap: float = 0.25
    exchange: float = 0.02
    dense_share: float = 0.5
    fade: float = 0.9
