"""Training curves of all stages in a row."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.report.figures.training_chart import running_steps, training_curves


def test_nothing_is_drawn_without_a_figure() -> None:
    assert training_curves([]) is None
    assert training_curves([{"stage": "a", "step": 1, "loss": None}]) is None


def test_training_steps_run_on_through_the_stages(history: list[dict[str, Any]]) -> None:
    steps, starts = running_steps(history)
    assert steps == sorted(steps)
    assert steps[-1] == 1800
    assert starts == [(0, "00-prune"), (800, "01-finetune"), (1200, "03-finetune-quantized")]
    figure = training_curves(history)
    assert figure is not None
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "EPE [px]", "sparsity [%]"]
    assert max(figure.axes[2].get_lines()[0].get_ydata()) == pytest.approx(94.0)
