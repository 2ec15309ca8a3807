"""The benchmark of steps on a device: its cases, a tiny measurement on the CPU, and the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from device_steps.cases import GPU, TINY, Case, cases
from device_steps.page import page
from device_steps.work import TASKS, measure


def test_cases_change_one_setting_of_a_base_that_is_measured_too() -> None:
    found = list(cases(GPU))
    assert len({case.key for case in found}) == len(found) == 11 * len(GPU)
    assert {case.task for case in found} == set(TASKS)
    assert all(case.base in found for case in found)
    assert {case.setting for case in found} >= {"base", "bfloat16", "channels first", "recompute_3d"}


@pytest.mark.parametrize("task", ["train", "score"])
def test_a_case_is_measured(task: str) -> None:
    case = next(case for case in cases(TINY) if case.task == task)
    result = measure(case, torch.device("cpu"), 2)
    assert len(result["all_ms"]) == 2
    assert 0 < result["ms"] < 1e6
    assert result["peak_mb"] > 1
    assert result["parameters"] > 1e5


def test_the_page_divides_by_the_base() -> None:
    base = Case(task="train", network="reference", size=(32, 64), batch=2)
    found = {
        base: {"ms": 200.0, "peak_mb": 100.0, "load": [0.5, 0.5]},
        replace(base, recompute_3d=True): {"ms": 250.0, "peak_mb": 60.0, "load": [0.5, 0.5]},
        replace(base, precision="bfloat16"): {"error": "out of memory"},
    }
    rows = [line for line in page(found, "cuda") if "32x64" in line]
    assert "| recompute_3d | 250.0 | 1.25 | 60 | 0.60 |" in rows[1]
    assert "| bfloat16 | out of memory |" in rows[2]
