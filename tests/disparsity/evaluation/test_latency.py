"""Measured latency: which networks take turns where, what is warned of, and what is kept of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.timing import Timing, summarise
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation import latency
from disparsity.evaluation.latency import (
    Deployed,
    LatencyRuntime,
    check_runtime,
    latency_file,
    measure_latency,
    stored_latency,
)
from disparsity.evaluation.measured_latency import MeasuredLatency, MeasuredRow
from disparsity.evaluation.sessions.kernels import Kernel
from disparsity.export.openvino import graph as openvino_graph
from disparsity.export.openvino.folder import write_openvino

SIZE = (30, 61)
INTEGER = Kernel(layer="a", call=0, operator="Conv3d", kernel="some_I8", precision="u8")
FLOAT = Kernel(layer="b", call=0, operator="Conv2d", kernel="some_f32", precision="f32")


def no_file(_path: Path, _network: Any, size: tuple[int, int]) -> None:
    assert size == SIZE


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A runtime of our own with times of our own, in seconds, by network."""
    seconds = {"dense": 0.030, "pruned": 0.010, "compressed": 0.005}

    def deploy(path: Path) -> Deployed:
        return Deployed(
            estimate=lambda *_: np.zeros(SIZE, np.float32),
            file_bytes=len(path.name),
            kernels=(INTEGER, FLOAT),
            widened=3 if path.name == "compressed" else 0,
        )

    def measure(calls: dict[str, Any], runs: int, warm_up: int) -> dict[str, Timing]:
        assert (runs, warm_up) == (7, latency.WARM_UP)
        assert all(call().shape == SIZE for call in calls.values())
        times = [0.090, *(seconds[name] for name in seconds)]
        return {name: summarise([each] * runs) for name, each in zip(calls, times, strict=True)}

    monkeypatch.setattr(latency, "OPENVINO", LatencyRuntime(form="openvino", open=deploy))
    monkeypatch.setattr(latency, "check_runtime", lambda _: None)
    monkeypatch.setattr(latency, "measure", measure)
    return seconds


def networks(checkpoint: Path, deployable: Path) -> dict[str, Any]:
    dense, compressed = (open_network(str(path), None) for path in (checkpoint, deployable))
    return {"dense": dense, "pruned": dense, "compressed": compressed}


def test_dense_in_torch_and_all_in_the_runtime(deployed: dict[str, float], checkpoint: Path, deployable: Path) -> None:
    section = measure_latency(networks(checkpoint, deployable), SIZE, "openvino", 7, no_file)
    rows = [(row.network, row.runtime, row.median_ms, row.file_bytes) for row in section.rows]
    assert rows == [
        ("dense", "torch", pytest.approx(90), None),
        ("dense", "openvino", pytest.approx(30), 5),
        ("pruned", "openvino", pytest.approx(10), 6),
        ("compressed", "openvino", pytest.approx(5), 10),
    ]
    last = section.rows[-1]
    assert (last.convolutions, last.integer_convolutions) == (2, 1)
    assert (section.input_size, section.runs, section.threads) == ((30, 61), 7, 1)
    assert section.warnings == ("3 layers with weights of 8 bits run in float: integer sums would saturate here",)


def test_integers_that_are_slower_than_floats_are_warned_of(
    deployed: dict[str, float], checkpoint: Path, deployable: Path
) -> None:
    deployed["compressed"] = 0.012
    section = measure_latency(networks(checkpoint, deployable), SIZE, "openvino", 7, no_file)
    expected = "integers are slower than floats here: 12 ms against 10 ms of the pruned network in float"
    assert section.warnings[0] == expected


def test_in_openvino_itself(
    monkeypatch: pytest.MonkeyPatch, onnx_file: Path, openvino_folder: Path, deployable: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    monkeypatch.setattr(openvino_graph, "onnx_graph", lambda *_: onnx.load(onnx_file))
    network = open_network(str(deployable), None)
    section = measure_latency({"dense": network, "compressed": network}, SIZE, "openvino", 2, write_openvino)
    assert [row.network for row in section.rows] == ["dense", "dense", "compressed"]
    assert all(0 < row.lowest_ms <= row.median_ms for row in section.rows)
    size_bytes = sum(path.stat().st_size for path in openvino_folder.iterdir())
    # Names that OpenVINO makes up hold a number that counts on.
    assert section.rows[-1].file_bytes == pytest.approx(size_bytes, rel=0.05)
    assert section.rows[-1].convolutions > 10


def test_runtimes_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"report\.runtime: unknown latency runtime 'torch'; expected onnx"):
        check_runtime("torch")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(InputError, match=r"openvino is not installed; pip install 'disparsity\[openvino\]'"):
        check_runtime("openvino")


def test_what_is_kept_is_of_one_network_and_size(tmp_path: Path) -> None:
    path = tmp_path / "latency.json"
    row = MeasuredRow(
        network="dense", runtime="torch", median_ms=2, quartiles_ms=(1.5, 3), lowest_ms=None, file_bytes=None,
        convolutions=None, integer_convolutions=None,
    )  # fmt: skip
    section = MeasuredLatency(
        runtime="openvino", processor=None, threads=1, runs=2, warm_up=3, input_size=SIZE, rows=(row,), warnings=("a",)
    )
    assert stored_latency(path, "abc", SIZE) is None
    path.write_text(json.dumps(latency_file(section, "abc")))
    assert stored_latency(path, "abc", SIZE) == section
    assert stored_latency(path, "abd", SIZE) is None
    assert stored_latency(path, "abc", (30, 62)) is None


@pytest.mark.parametrize("content", ["", "[]", '{"checkpoint": "abc"}', '{"checkpoint": 1, "measured_latency": null}'])
def test_a_damaged_measurement_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "latency.json"
    path.write_text(content)
    with pytest.raises(CorruptArtefactError, match=r"latency\.json: not a measurement of latency"):
        stored_latency(path, "abc", SIZE)
