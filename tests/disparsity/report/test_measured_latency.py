"""Lines of measured latency."""

from __future__ import annotations

from disparsity.evaluation.measured_latency import MeasuredLatency, MeasuredRow
from disparsity.report.measured_latency import measured_lines


def row(network: str, runtime: str, median: float) -> MeasuredRow:
    return MeasuredRow(
        network=network,
        runtime=runtime,
        median_ms=median,
        quartiles_ms=(median - 1, median + 2),
        lowest_ms=None,
        file_bytes=None,
        convolutions=3,
        integer_convolutions=2,
    )


def measured(*rows: MeasuredRow) -> MeasuredLatency:
    return MeasuredLatency(
        runtime="openvino", processor="some", threads=1, runs=9, warm_up=2, input_size=(32, 64), rows=rows, warnings=()
    )


def test_each_network_beside_the_dense_one_in_the_same_runtime() -> None:
    rows = [row("dense", "torch", 90), row("dense", "openvino", 30), row("pruned", "openvino", 10)]
    found = measured_lines(measured(*rows, row("compressed", "openvino", 5)))
    assert [(each.label, each.before, each.after, each.change) for each in found] == [
        ("torch, dense", "90 ms (89 to 92)", "", ""),
        ("openvino, pruned, float", "30 ms (29 to 32)", "10 ms (9 to 12)", "×0.33"),
        ("openvino, compressed", "30 ms (29 to 32)", "5 ms (4 to 7)", "×0.17"),
    ]
    assert {each.group for each in found} == {"measured on this CPU, openvino, 1 thread(s), 32×64, median of 9"}


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert measured_lines(None) == measured_lines(measured()) == []
