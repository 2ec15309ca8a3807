"""Settings of a training phase."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from disparsity.base.choice import Choice
from disparsity.base.settings import Count, NonNegative, Positive, PositiveCount, settings
from disparsity.base.settings_errors import Mistake
from disparsity.finetune.optimizers.settings import PSGDSettings, ScaleClipSettings


@settings
class NoTeacherSettings:
    """Ground truth only."""

    weight: ClassVar[float] = 0.0
    volume_weight: ClassVar[float] = 0.0
    maps: ClassVar[str] = "last"
    name: Literal["none"] = "none"


@settings
class TaughtSettings:
    """What is learned from a teacher.

    Attributes:
        weight: of the distance to the teacher's maps.
        volume_weight: of the divergence of the distributions over disparities from the teacher's, at every cost
            volume; for networks with a soft-argmin.
        maps: `last` compares every map with the teacher's finest one, `all` with the teacher's map of its own place.

    """

    weight: NonNegative = 1.0
    volume_weight: NonNegative = 0.0
    maps: Literal["last", "all"] = "last"


@settings
class DenseTeacherSettings(TaughtSettings):
    """The network before compression, by the distance between the disparity maps; needs no labels."""

    name: Literal["dense"] = "dense"


@settings
class InNetworkTeacherSettings(TaughtSettings):
    """The student itself with its pruned weights put back at their dense values."""

    name: Literal["in_network"] = "in_network"


TeacherSettings = Annotated[NoTeacherSettings | DenseTeacherSettings | InNetworkTeacherSettings, Choice("dense")]


@settings
class PhotometricSettings:
    """Loss by how the right view, fetched by each map, differs from the left one; needs no labels.

    It costs two more forward passes for the pixels that both views see.

    Attributes:
        weight: of the difference (0..1).
        occlusion: whose maps tell these pixels by a left-right check: the trained `network`'s or the `teacher`'s.

    """

    weight: Positive = 1.0
    occlusion: Literal["network", "teacher"] = "network"


@settings
class TrainSettings:
    """One phase of training.

    Attributes:
        steps: optimizer steps.
        learning_rate: of Adam, after the warm-up.
        warmup: steps over which the rate grows from zero.
        lr_schedule: `constant`, or `cosine` falling to zero at the last step.
        batch_norm: `train` updates BatchNorm statistics, `eval` keeps them.
        clip_norm: gradients are scaled down to this global norm.
        precision: `bfloat16` runs the network under autocast, losses stay in float32; `auto` does so where the
            processor or the GPU computes in bfloat16 itself, and takes float32 elsewhere.
        grad_accumulation_steps: parts of a batch that are computed one after the other, so that a step needs the memory
            of one part. Only BatchNorm sees the parts: it takes the statistics of each.
        recompute_3d: compute what filters cost volumes again on the way back instead of keeping it: less memory, the
            same gradients, more time.
        kernels: `auto` computes the convolutions of clearly pruned layers on a CPU from their non-zero weights only,
            in float32; `dense` never does.
        psgd: position-scaled steps; without the table plain steps.
        scale_clip: clipping of weights after every step; without the table none.
        supervised_weight: weight of the supervised loss.
        teacher: a network whose maps and volumes the phase learns from.
        photometric: loss without labels; without the table none.

    """

    steps: Count
    learning_rate: Positive = 1e-3
    warmup: Count = 0
    lr_schedule: Literal["constant", "cosine"] = "cosine"
    batch_norm: Literal["train", "eval"] = "train"
    clip_norm: Positive = 10.0
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    grad_accumulation_steps: PositiveCount = 1
    recompute_3d: bool = False
    kernels: Literal["auto", "dense"] = "auto"
    psgd: PSGDSettings | None = None
    scale_clip: ScaleClipSettings | None = None
    supervised_weight: NonNegative = 1.0
    teacher: TeacherSettings = NoTeacherSettings()
    photometric: PhotometricSettings | None = None

    def __post_init__(self) -> None:
        """Refuse a phase without a loss, and one whose teacher is missing."""
        if self.teacher.name == "none" and self.needs_teacher:
            raise Mistake(
                "a teacher is needed", key="teacher", found="none", expected="dense or in_network, for its occlusion"
            )
        weights = (self.supervised_weight, self.teacher.weight, self.teacher.volume_weight)
        if not any(weights) and self.photometric is None:
            raise Mistake("all loss weights are 0", expected="a supervised_weight, teacher or photometric loss")

    @property
    def needs_teacher(self) -> bool:
        """Whether the loss uses a teacher's maps or volumes."""
        taught = max(self.teacher.weight, self.teacher.volume_weight) > 0
        return taught or (self.photometric is not None and self.photometric.occlusion == "teacher")
