"""Training settings that cannot be are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.finetune.settings import DenseTeacherSettings, PhotometricSettings, TrainSettings

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steps", -1),
        ("learning_rate", 0.0),
        ("learning_rate", NAN),
        ("learning_rate", INF),
        ("warmup", -1),
        ("lr_schedule", "linear"),
        ("batch_norm", "frozen"),
        ("clip_norm", 0.0),
        ("clip_norm", NAN),
        ("precision", "float16"),
        ("grad_accumulation_steps", 0),
        ("psgd.strength", -0.1),
        ("psgd.strength", INF),
        ("psgd.target", "one"),
        ("psgd.scale", "network"),
        ("psgd.target.grid.bits", 1),
        ("psgd.target.grid.bits", 17),
        ("supervised_weight", -1.0),
        ("supervised_weight", NAN),
        ("supervised_weight", INF),
        ("teacher", "both"),
        ("teacher.dense.maps", "first"),
        ("teacher.dense.weight", -0.5),
        ("teacher.dense.weight", NAN),
        ("photometric.occlusion", "left"),
        ("photometric.weight", -0.5),
        ("photometric.weight", NAN),
    ],
)
def test_values_outside_their_range_are_refused(key: str, value: Any) -> None:
    names = key.split(".")
    given: Any = value
    for name in reversed(names[1:]):
        given = {"name": name, **given} if name in ("grid", "dense") else {name: given}
    path = ".".join(name for name in names if name not in ("grid", "dense"))
    with pytest.raises(InputError, match=rf"^{path}: (out of range|not a finite|unknown name)"):
        TrainSettings(**({"steps": 1} | {names[0]: given}))


def test_a_loss_is_needed() -> None:
    with pytest.raises(InputError, match="all loss weights are 0"):
        TrainSettings(steps=1, supervised_weight=0.0)
    assert TrainSettings(steps=1, supervised_weight=0.0, teacher=DenseTeacherSettings()).needs_teacher


def test_who_needs_a_teacher() -> None:
    assert not TrainSettings(steps=1, photometric=PhotometricSettings()).needs_teacher
    assert not TrainSettings(steps=1, teacher=DenseTeacherSettings(weight=0.0)).needs_teacher
    judged = PhotometricSettings(occlusion="teacher")
    assert TrainSettings(steps=1, photometric=judged, teacher=DenseTeacherSettings(weight=0.0)).needs_teacher
    assert not TrainSettings(steps=1, supervised_weight=0.0, photometric=PhotometricSettings()).needs_teacher
    with pytest.raises(InputError, match="teacher: a teacher is needed; found none"):
        TrainSettings(steps=1, photometric=judged)
