"""Settings of the fine-tuning modes: one class per mode, with the properties that are checked before a run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from disparsity.base.choice import Choice
from disparsity.base.settings import Fraction, FractionBelowOne, PositiveCount, settings
from disparsity.finetune.reconstruction.settings import LeastSquaresSettings


class ModeFlags:
    """What holds for a mode unless its settings class says otherwise.

    Attributes:
        single: it moves single weights, so that it cannot serve pattern `channel`.
        from_zero: it lets weights return at zero, where a position-scaled update towards zero would hold them.

    """

    single: ClassVar[bool] = False
    from_zero: ClassVar[bool] = False


@settings
class FrozenSettings(ModeFlags):
    """Pruned weights stay zero."""

    name: Literal["frozen"] = "frozen"


@settings
class RegrowSettings(ModeFlags):
    """Pruned weights may return while sparsity grows.

    Attributes:
        regrow_penalty: factor on the score of a pruned weight, so that only a clearly higher score brings it back.
        drop_fraction: at most this fraction of the live weights is dropped for returning ones at one event.

    """

    single: ClassVar[bool] = True
    name: Literal["regrow"] = "regrow"
    regrow_penalty: Fraction = 0.25
    drop_fraction: Fraction = 0.02


@settings
class ReconstructSettings(LeastSquaresSettings, ModeFlags):
    """After every event each layer's survivors are solved by least squares.

    Attributes:
        pairs: calibration pairs, run as one batch.

    """

    name: Literal["reconstruct"] = "reconstruct"
    pairs: PositiveCount = 8


@settings
class AlternatingSettings(ModeFlags):
    """Between two events first a sparse phase, then a dense one without masks.

    Attributes:
        dense_fraction: fraction of the steps between two events that is taken without masks.

    """

    single: ClassVar[bool] = True
    from_zero: ClassVar[bool] = True
    name: Literal["alternating"] = "alternating"
    dense_fraction: Fraction = 0.5


@settings
class SoftSettings(ModeFlags):
    """Pruned weights decay by a factor per step instead of being cut.

    Attributes:
        decay: factor of a pruned weight per step.

    """

    single: ClassVar[bool] = True
    name: Literal["soft"] = "soft"
    decay: FractionBelowOne = 0.9


@settings
class RigLSettings(ModeFlags):
    """At every event weights are dropped by score and others grown by gradient.

    Attributes:
        drop_fraction: fraction of the live weights that is exchanged at the first event; fewer along a cosine, none at
            the last.

    """

    single: ClassVar[bool] = True
    from_zero: ClassVar[bool] = True
    name: Literal["rigl"] = "rigl"
    drop_fraction: Fraction = 0.02


ModeSettings = Annotated[
    FrozenSettings | RegrowSettings | ReconstructSettings | AlternatingSettings | SoftSettings | RigLSettings,
    Choice("frozen"),
]
