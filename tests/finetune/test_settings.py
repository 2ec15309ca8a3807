"""Training settings that cannot be are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.finetune.settings import TrainSettings

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1),
        ("learning_rate", 0.0),
        ("learning_rate", NAN),
        ("learning_rate", INF),
        ("warmup", -1),
        ("rate", "linear"),
        ("batch_norm", "frozen"),
        ("clip_norm", 0.0),
        ("clip_norm", NAN),
        ("precision", "float16"),
        ("psgd", -0.1),
        ("psgd", INF),
        ("psgd_target", "one"),
        ("psgd_scale", "network"),
        ("psgd_bits", 1),
        ("psgd_bits", 17),
        ("truth_weight", -1.0),
        ("truth_weight", NAN),
        ("truth_weight", INF),
        ("teacher", "both"),
        ("teacher_maps", "first"),
        ("occlusion", "left"),
        ("photometric_weight", -0.5),
        ("photometric_weight", NAN),
        ("teacher_weight", -0.5),
        ("teacher_weight", NAN),
    ],
)
def test_values_outside_their_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match="found"):
        TrainSettings(**({"steps": 1} | {name: value}))


def test_a_loss_is_needed() -> None:
    with pytest.raises(InputError, match="not all 0"):
        TrainSettings(steps=1, truth_weight=0.0)
    assert TrainSettings(steps=1, truth_weight=0.0, teacher_weight=1.0).teacher_weight == 1.0


def test_who_needs_a_teacher() -> None:
    assert not TrainSettings(steps=1, photometric_weight=1.0).needs_teacher
    assert TrainSettings(steps=1, photometric_weight=1.0, occlusion="teacher").needs_teacher
    assert TrainSettings(steps=1, truth_weight=0.0, photometric_weight=1.0).truth_weight == 0.0
    with pytest.raises(InputError, match="a teacher is needed"):
        TrainSettings(steps=1, teacher_weight=1.0, teacher="none")
