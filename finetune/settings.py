"""Settings of a training phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

from disparsity.base.errors import InputError
from disparsity.finetune.optimizers.psgd import PSGD_GRIDS, PSGD_SCALES, PSGD_TARGETS
from disparsity.finetune.teachers import TEACHER_MAPS, TEACHERS

PRECISIONS = ("float32", "bfloat16", "auto")
KERNELS = ("auto", "dense")
BATCH_NORM = ("train", "eval")
OCCLUSION = ("network", "teacher")
RATE_SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """One phase of training.

    Attributes:
        steps: optimizer steps.
        learning_rate: of Adam, after the warm-up.
        warmup: steps over which the rate grows from zero.
        rate: `constant`, or `cosine` falling to zero at the last step.
        batch_norm: `train` updates BatchNorm statistics, `eval` keeps them.
        clip_norm: gradients are scaled down to this global norm.
        precision: `bfloat16` runs the network under autocast, losses stay in float32; `auto` does so where the
            processor or the GPU computes in bfloat16 itself, and takes float32 elsewhere.
        accumulate: parts of a batch that are computed one after the other, so that a step needs the memory of one part.
            Only BatchNorm sees the parts: it takes the statistics of each.
        recompute_3d: compute what filters cost volumes again on the way back instead of keeping it: less memory, the
            same gradients, more time.
        kernels: `auto` computes the convolutions of clearly pruned layers on a CPU from their non-zero weights only,
            in float32; `dense` never does.
        psgd: strength of position-scaled steps, which let weights drift towards targets; 0 takes plain steps.
        psgd_target: `zero`, before pruning, or `grid`, before quantization.
        psgd_bits: of that grid, in layers that are not quantized yet.
        psgd_grid: whether the `layer` has one grid, or every output `channel`, as it has after BatchNorm is folded.
        psgd_scale: `layer` measures distances to the target by their mean in the layer, so that a strength of 1 keeps
            the mean step; `absolute` takes them as they are.
        scale_clip: after every step, weights are clipped to so many mean magnitudes of their group, which spreads them
            evenly before they are quantized (near 2); 0 does not.
        scale_clip_group: consecutive output channels of such a group.
        truth_weight: weight of the supervised loss.
        teacher_weight: weight of the distance to the teacher's maps; 0 needs no teacher.
        teacher: a name in `TEACHERS`; what the weights count, so that weights 0 are `none`, and `none` needs weights 0.
        teacher_volume_weight: weight of the divergence of the distributions over disparities from the teacher's, at
            every cost volume; for networks with a soft-argmin.
        teacher_maps: `last` compares every map with the teacher's finest one, `all` with the teacher's map of its own
            place.
        photometric_weight: weight of how the right view, fetched by each map, differs from the left one (0..1); needs
            no labels. Costs two more forward passes for the pixels that both views see.
        occlusion: whose maps tell these pixels by a left-right check: the trained `network`'s or the `teacher`'s.

    """

    steps: int
    learning_rate: float = 1e-3
    warmup: int = 0
    rate: str = "cosine"
    batch_norm: str = "train"
    clip_norm: float = 10.0
    precision: str = "float32"
    accumulate: int = 1
    recompute_3d: bool = False
    kernels: str = "auto"
    psgd: float = 0.0
    psgd_target: str = "zero"
    psgd_bits: int = 4
    psgd_grid: str = "layer"
    psgd_scale: str = "layer"
    scale_clip: float = 0.0
    scale_clip_group: int = 16
    truth_weight: float = 1.0
    teacher_weight: float = 0.0
    teacher_volume_weight: float = 0.0
    teacher: str = "dense"
    teacher_maps: str = "last"
    photometric_weight: float = 0.0
    occlusion: str = "network"

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for value, allowed in (
            (self.precision, PRECISIONS),
            (self.kernels, KERNELS),
            (self.batch_norm, BATCH_NORM),
            (self.rate, RATE_SCHEDULES),
            (self.psgd_target, PSGD_TARGETS),
            (self.teacher, tuple(TEACHERS)),
            (self.teacher_maps, TEACHER_MAPS),
            (self.occlusion, OCCLUSION),
            (self.psgd_scale, PSGD_SCALES),
            (self.psgd_grid, PSGD_GRIDS),
        ):
            if value not in allowed:
                raise InputError("unknown training setting", found=value, expected=" or ".join(allowed))
        if min(self.steps, self.warmup) < 0 or not 0 < self.learning_rate < math.inf or not self.clip_norm > 0:
            raise InputError(
                "impossible training settings",
                found=self,
                expected="steps and warmup >= 0, learning_rate and clip_norm > 0",
            )
        if self.accumulate < 1:
            raise InputError("impossible accumulation", found=self.accumulate, expected="accumulate = 1 or more")
        if not 0 <= self.psgd < math.inf or not 2 <= self.psgd_bits <= 16:
            raise InputError("impossible position scaling", found=self, expected="psgd >= 0, psgd_bits in 2..16")
        if not 0 <= self.scale_clip < math.inf or self.scale_clip_group < 1:
            raise InputError("impossible clipping", found=self, expected="scale_clip >= 0, scale_clip_group >= 1")
        if self.teacher == "none" and self.needs_teacher:
            raise InputError("a teacher is needed", found=self, expected="teacher = dense or in_network")
        weights = (self.truth_weight, self.teacher_weight, self.teacher_volume_weight, self.photometric_weight)
        if not all(0 <= weight < math.inf for weight in weights) or sum(weights) == 0:
            raise InputError("loss weights must be >= 0 and not all 0", found=self)

    @property
    def needs_teacher(self) -> bool:
        """Whether a teacher's maps or volumes are asked for."""
        taught = max(self.teacher_weight, self.teacher_volume_weight) > 0
        return taught or (self.photometric_weight > 0 and self.occlusion == "teacher")
