"""The benchmark of steps on a device: its cases, a tiny measurement on the CPU, and the table."""

from __future__ import annotations

import gpu
import pytest
from device_steps.cases import CPU, TINY, base_of, cases
from device_steps.work import TASKS, measure
from harness.rows import key_of


def test_cases_change_one_setting_of_a_base_that_is_measured_too() -> None:
    found = list(cases("cpu", CPU))
    keys = {key_of(case) for case in found}
    assert len(keys) == len(found)
    assert {case["task"] for case in found} == set(TASKS)
    assert all(key_of(base_of(case)) in keys for case in found)


def test_emulated_bfloat16_is_measured_once() -> None:
    assert sum("precision" in case for case in cases("cpu", TINY, emulated=True)) == 1


@pytest.mark.parametrize("task", ["score", "masked"])
def test_a_case_is_measured(task: str) -> None:
    case = next(case for case in cases("cpu", TINY) if case["task"] == task)
    result = measure(case, 2)
    assert len(result["all_ms"]) == 2
    assert 0 < result["ms"] < 1e6
    assert result["peak_mb"] > 1
    assert result["parameters"] > 1e5


def test_the_table_divides_by_the_base() -> None:
    base = {"device": "cuda", "network": "reference", "size": [32, 64], "batch": 2, "task": "train"}
    found = [
        (base, {"ms": 200.0, "peak_mb": 100.0, "load": [0.5, 0.5]}),
        ({**base, "recompute_3d": True}, {"ms": 250.0, "peak_mb": 60.0, "load": [0.5, 0.5]}),
        ({**base, "precision": "bfloat16"}, {"error": "out of memory"}),
    ]
    (table,) = gpu.tables([{"case": case, "found": figures} for case, figures in found])
    lines = table.lines()
    assert "| recompute_3d True | 250.0 | 1.25 | 60 | 0.60 |" in lines[3]
    assert "| precision bfloat16 | out of memory |" in lines[4]
