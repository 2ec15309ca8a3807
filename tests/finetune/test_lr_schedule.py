"""Learning rates against their closed forms."""

from __future__ import annotations

import math

import pytest

from disparsity.finetune.lr_schedule import learning_rate
from disparsity.finetune.settings import TrainSettings


def rates(**changes: float | str) -> list[float]:
    settings = TrainSettings(**({"steps": 8, "learning_rate": 0.5} | changes))  # type: ignore[arg-type]
    return [learning_rate(settings, step) for step in range(8)]


def test_cosine_falls_from_the_full_rate_towards_zero() -> None:
    assert rates() == pytest.approx([0.25 * (1 + math.cos(math.pi * step / 8)) for step in range(8)])
    assert learning_rate(TrainSettings(steps=8, learning_rate=0.5), 8) == pytest.approx(0.0, abs=1e-12)


def test_constant() -> None:
    assert rates(lr_schedule="constant") == [0.5] * 8


def test_warm_up_is_linear_and_never_zero() -> None:
    assert rates(lr_schedule="constant", warmup=3) == pytest.approx([0.125, 0.25, 0.375] + [0.5] * 5)
    both = rates(warmup=3)
    assert both[0] == pytest.approx(0.125)
    assert both[4] == pytest.approx(0.25)


def test_phase_without_steps_has_a_rate() -> None:
    assert learning_rate(TrainSettings(steps=0), 0) == pytest.approx(1e-3)
