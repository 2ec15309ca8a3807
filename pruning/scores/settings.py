"""Settings of the scores: one class per score, with the properties that are checked before a run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from disparsity.base.choice import Choice
from disparsity.base.settings import FractionBelowOne, NonNegative, PositiveCount, settings

TaylorForm = Literal["mean_sq", "mean_abs", "abs_mean"]


class ScoreFlags:
    """What holds for a score unless its settings class says otherwise.

    Attributes:
        from_steps: the score is left behind by the training steps, so that it needs some before the first event.
        with_norms: the scales of BatchNorm and the weights they scale get scores of one unit, so that both may count
            towards a channel.
        under_quantizers: it is right for weights behind quantizers, too. A quantizer passes no gradient to a weight
            that it clips, so that scores of trained tensors by their gradients would call the largest ones worthless.

    """

    from_steps: ClassVar[bool] = False
    with_norms: ClassVar[bool] = False
    under_quantizers: ClassVar[bool] = False


@settings
class TaylorSettings(ScoreFlags):
    """Running average of weight x gradient (see form) from the training steps, at no extra pass.

    Attributes:
        decay: fraction of the running average that a step keeps.
        form: what is averaged over batches, a name in `TAYLOR_FORMS`.

    """

    from_steps: ClassVar[bool] = True
    with_norms: ClassVar[bool] = True
    name: Literal["taylor"] = "taylor"
    decay: FractionBelowOne = 0.95
    form: TaylorForm = "mean_sq"


@settings
class TaylorPassSettings(ScoreFlags):
    """Mean of weight x gradient (see form) in a pass of its own, BatchNorm in eval mode.

    Attributes:
        batches: batches of the pass.
        form: what is averaged over batches, a name in `TAYLOR_FORMS`.

    """

    with_norms: ClassVar[bool] = True
    name: Literal["taylor_pass"] = "taylor_pass"
    batches: PositiveCount = 16
    form: TaylorForm = "mean_sq"


@settings
class QuantAwareSettings(ScoreFlags):
    """Mean of quantized weight x gradient there (see form) in a pass of its own: the joint score.

    Attributes:
        batches: batches of the pass.
        form: what is averaged over batches, a name in `TAYLOR_FORMS`.

    """

    under_quantizers: ClassVar[bool] = True
    name: Literal["quant_aware"] = "quant_aware"
    batches: PositiveCount = 16
    form: TaylorForm = "mean_sq"


@settings
class ObsSettings(ScoreFlags):
    """Error that is left after the layer's other weights are solved again, times the disparity's sensitivity.

    Attributes:
        pairs: calibration pairs, run as one batch.
        positions: output positions sampled per layer.
        ridge: pull towards the old weights, relative to the mean diagonal of the normal matrix.
        probes: pairs on which the sensitivity of the disparity to a layer's output is measured.

    """

    name: Literal["obs"] = "obs"
    pairs: PositiveCount = 8
    positions: PositiveCount = 24000
    ridge: NonNegative = 1e-3
    probes: PositiveCount = 4


@settings
class FisherObsSettings(ScoreFlags):
    """Weight^2 times the diagonal Fisher matrix of single samples, over two.

    Attributes:
        samples: single pairs that the Fisher matrix is averaged over.

    """

    with_norms: ClassVar[bool] = True
    name: Literal["fisher_obs"] = "fisher_obs"
    samples: PositiveCount = 16


@settings
class SnipSettings(ScoreFlags):
    """Absolute derivative of the loss by the weight's mask, as a fraction of all.

    Attributes:
        batches: batches of the pass.

    """

    with_norms: ClassVar[bool] = True
    name: Literal["snip"] = "snip"
    batches: PositiveCount = 16


@settings
class SynflowSettings(ScoreFlags):
    """Flow over the weight through the network of absolute weights; needs no data."""

    with_norms: ClassVar[bool] = True
    name: Literal["synflow"] = "synflow"


@settings
class MagnitudeSettings(ScoreFlags):
    """Absolute value of the weight."""

    under_quantizers: ClassVar[bool] = True
    name: Literal["magnitude"] = "magnitude"


@settings
class RandomSettings(ScoreFlags):
    """Seeded noise, the control."""

    under_quantizers: ClassVar[bool] = True
    name: Literal["random"] = "random"


ScoreSettings = Annotated[
    TaylorSettings
    | TaylorPassSettings
    | QuantAwareSettings
    | ObsSettings
    | FisherObsSettings
    | SnipSettings
    | SynflowSettings
    | MagnitudeSettings
    | RandomSettings,
    Choice("taylor"),
]
