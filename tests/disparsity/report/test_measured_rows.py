"""Lines of measured latency, and what a report says of zeros on a CPU."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.report.markdown import markdown_report
from disparsity.report.measured_rows import measured_notes, measured_rows, zeros_text
from disparsity.report.schema import empty_report, validate


def row(network: str, runtime: str, median: float | None) -> dict[str, Any]:
    spread = None if median is None else [median - 1, median + 2]
    return {
        "network": network,
        "runtime": runtime,
        "median_ms": median,
        "quartiles_ms": spread,
        "lowest_ms": None,
        "file_bytes": None,
        "convolutions": 3,
        "integer_convolutions": 2,
    }


def report(*rows: dict[str, Any], pattern: str | None = None) -> dict[str, Any]:
    found = empty_report()
    found["settings"]["pattern"] = pattern
    found["measured_latency"] = {
        "runtime": "openvino",
        "processor": "some",
        "threads": 1,
        "runs": 9,
        "warm_up": 2,
        "input_size": [32, 64],
        "rows": list(rows),
        "warnings": ["slow <here>"],
    }
    validate(found)
    return found


def test_each_network_beside_the_dense_one_in_the_same_runtime() -> None:
    rows = [row("dense", "torch", 90), row("dense", "openvino", 30), row("pruned", "openvino", 10)]
    found = measured_rows(report(*rows, row("compressed", "openvino", 5)))
    assert [(each.label, each.before, each.after, each.change) for each in found] == [
        ("torch, dense", "90 ms (89 to 92)", "", ""),
        ("openvino, pruned, float", "30 ms (29 to 32)", "10 ms (9 to 12)", "×0.33"),
        ("openvino, compressed", "30 ms (29 to 32)", "5 ms (4 to 7)", "×0.17"),
    ]
    assert {each.group for each in found} == {"measured on this CPU, openvino, 1 thread(s), 32×64, median of 9"}


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert measured_rows(empty_report()) == []
    assert measured_notes(empty_report()) == []
    assert measured_rows({**empty_report(), "measured_latency": None}) == []


@pytest.mark.parametrize(("pattern", "words"), [
    ("element", "no faster on a CPU"), ("2:4", "no faster on a CPU"), ("channel", "smaller dense network"),
])  # fmt: skip
def test_what_zeros_do_on_a_cpu_is_said_plainly(pattern: str, words: str) -> None:
    found = report(pattern=pattern)
    assert words in (zeros_text(found) or "")
    assert measured_notes(found)[0] == "Warning: slow <here>."
    text = markdown_report(found, {})
    assert words in text
    assert "slow &lt;here>" in text


def test_unpruned_networks_have_no_zeros_to_speak_of() -> None:
    assert zeros_text(report(pattern="none")) is None
