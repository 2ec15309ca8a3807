"""Settings of pruning: sparsity, score, scope, pattern, schedule and mode."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import (
    Fraction,
    FractionBelowOne,
    NonNegative,
    PositiveCount,
    settings,
)
from disparsity.base.settings_errors import Mistake
from disparsity.pruning.patterns import group_law
from disparsity.pruning.schedules import CYCLES
from disparsity.pruning.scores.settings import ScoreSettings, TaylorSettings

_TOLERANCE = 1e-9


@settings
class GlobalSettings:
    """All weights compete with each other."""

    name: Literal["global"] = "global"


@settings
class PerLayerSettings:
    """Every layer keeps the same fraction of its weights."""

    name: Literal["per_layer"] = "per_layer"


@settings
class ErkSettings:
    """Densities by the Erdos-Renyi-kernel rule: small layers stay denser; scores compete within each layer."""

    name: Literal["erk"] = "erk"


@settings
class MacWeightedSettings:
    """Densities inversely proportional to the MACs that one weight costs; scores compete within each layer."""

    name: Literal["mac_weighted"] = "mac_weighted"


ScopeSettings = Annotated[
    GlobalSettings | PerLayerSettings | ErkSettings | MacWeightedSettings,
    Choice("global"),
]


@settings
class GrowingSettings:
    """A schedule of several steps.

    Attributes:
        first_sparsity: the first event goes straight to this sparsity, the schedule grows from there; 0 starts dense.

    """

    first_sparsity: FractionBelowOne = 0.0


@settings
class LogDensitySettings(GrowingSettings):
    """Density falls by the same factor at every event."""

    name: Literal["log_density"] = "log_density"


@settings
class CubicSettings(GrowingSettings):
    """Sparsity grows fast at first, then slowly."""

    name: Literal["cubic"] = "cubic"


@settings
class OneShotSettings:
    """The final density at the first event."""

    first_sparsity: ClassVar[float] = 0.0
    name: Literal["one_shot"] = "one_shot"


@settings
class CyclicSettings(GrowingSettings):
    """Density falls to its end several times; in between it returns to ever lower values."""

    name: Literal["cyclic"] = "cyclic"


ScheduleSettings = Annotated[
    LogDensitySettings | CubicSettings | OneShotSettings | CyclicSettings, Choice("log_density")
]


@settings
class ElementSettings:
    """Single weights."""

    name: Literal["element"] = "element"


@settings
class NOfMSettings:
    """At most 2 of 4 neighbouring input channels; any N:M likewise, such as 1:4 or 4:8."""

    name: str = "2:4"

    @classmethod
    def takes(cls, name: str) -> bool:
        """Whether a name is a pattern N:M."""
        return group_law(name) is not None


@settings
class KernelSettings:
    """Whole k x k (x k) slices between one input and one output channel."""

    name: Literal["kernel"] = "kernel"


@settings
class ChannelSettings:
    """Whole channels with all that is coupled to them; the stage ends with a smaller network."""

    name: Literal["channel"] = "channel"


PatternSettings = Annotated[
    ElementSettings | NOfMSettings | KernelSettings | ChannelSettings, Choice("element", NOfMSettings)
]


@settings
class PruneSettings:
    """What is removed, and how fast.

    Attributes:
        sparsity: fraction of the prunable weights to remove in the end.
        score: how important a weight is.
        normalisation: `layer_l2` divides every layer's scores by their Euclidean norm, before the division by MACs.
        mac_power: scores are divided by the MACs per weight to this power.
        scope: which weights compete with each other.
        schedule: how density falls from event to event.
        pattern: what is removed together.
        events: how often weights are removed.
        event_fraction: events are spread over this fraction of the steps.
        event_warmup: fraction of the steps before the first interval, in which scores gather and nothing is removed.
        floor_fraction: fraction of its weights that every layer keeps; with pattern `channel`, of its output channels.
        floor_per_filter: weights per output filter that every layer keeps on average.

    """

    sparsity: FractionBelowOne
    score: ScoreSettings = TaylorSettings()
    normalisation: Literal["none", "layer_l2"] = "none"
    mac_power: float = 0.0
    scope: ScopeSettings = GlobalSettings()
    schedule: ScheduleSettings = LogDensitySettings()
    pattern: PatternSettings = ElementSettings()
    events: PositiveCount = 12
    event_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    event_warmup: FractionBelowOne = 0.0
    floor_fraction: Fraction = 0.002
    floor_per_filter: NonNegative = 0.0

    def __post_init__(self) -> None:
        """Refuse settings that exclude each other."""
        first = self.schedule.first_sparsity
        if first > self.sparsity:
            raise Mistake("above the last sparsity", key="schedule.first_sparsity", found=first, expected="0..sparsity")
        if self.event_warmup >= self.event_fraction:
            raise Mistake(
                "out of range", key="event_warmup", found=self.event_warmup, expected="0 to below event_fraction"
            )
        if self.schedule.name == "cyclic" and self.events < 2 * CYCLES:
            raise Mistake(
                "too few events for cycles", key="events", found=self.events, expected=f"{2 * CYCLES} or more"
            )
        if self.pattern.name == "channel":
            self._check_channels()
        law = group_law(self.pattern.name)
        if law is not None:
            self._check_groups(law[0] / law[1])

    def _check_channels(self) -> None:
        """Channels of the whole network are compared, so that layers have no densities of their own."""
        if self.scope.name != "global":
            raise Mistake("pattern channel has one scope", key="scope", found=self.scope.name, expected="global")
        if self.floor_per_filter:
            raise Mistake(
                "pattern channel does not read this key", key="floor_per_filter", remedy="take floor_fraction"
            )

    def _check_groups(self, most: float) -> None:
        """A pattern N:M leaves at most N/M of every layer."""
        pattern = f"pattern {self.pattern.name}"
        if 1.0 - self.sparsity > most + _TOLERANCE:
            expected = f"{1.0 - most:g} or more"
            raise Mistake(f"below the sparsity of {pattern}", key="sparsity", found=self.sparsity, expected=expected)
        room = f"{pattern} leaves no room for these densities of layers"
        if self.scope.name not in ("global", "per_layer"):
            raise Mistake(room, key="scope", found=self.scope.name, expected="global or per_layer")
        if self.floor_fraction > most:
            raise Mistake(room, key="floor_fraction", found=self.floor_fraction, expected=f"at most {most:g}")
        if self.floor_per_filter:
            raise Mistake(room, key="floor_per_filter", found=self.floor_per_filter, expected="0")
