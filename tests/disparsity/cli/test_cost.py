"""`cost`: a network by name or checkpoint, the same report printed, as JSON and in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from disparsity.report.schema import parse_report
from disparsity.report.terminal import summary_table
from disparsity.stereo.networks import NETWORKS

Refused = Callable[..., str]


def test_by_name_with_the_macs_of_torchs_own_counter(
    run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small = partial(NETWORKS["reference"], width=4, refinement_width=2)
    monkeypatch.setitem(NETWORKS, "reference", small)
    printed = run_main("cost", "reference", "--size", "64x128", "--json", tmp_path / "cost.json")
    report = json.loads((tmp_path / "cost.json").read_text())
    assert printed == summary_table(parse_report((tmp_path / "cost.json").read_bytes())) + "\n"
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        small().eval()(torch.zeros(1, 3, 64, 128), torch.zeros(1, 3, 64, 128))
    assert report["operations"]["dense_macs"] * 2 == counter.get_total_flops()
    assert report["network"]["input_size"] == [64, 128]
    assert report["accuracy"] == []


def test_fresh_weights_come_from_a_seed(run_main: Callable[..., str], tmp_path: Path) -> None:
    for number in (1, 2):
        torch.manual_seed(number)
        run_main("cost", "reference", "--size", "32x64", "--json", tmp_path / f"{number}.json")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_by_checkpoint(run_main: Callable[..., str], quantized: Path, tmp_path: Path) -> None:
    run_main(
        "cost", quantized, "--size", "32X64", "--array", "4x8", "--dataflow", "os",
        "--json", tmp_path / "cost.json", "--out", tmp_path / "out",
    )  # fmt: skip
    report = json.loads((tmp_path / "cost.json").read_text())
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert (tmp_path / "out" / "layers.csv").is_file()
    assert (tmp_path / "out" / "report.html").is_file()
    assert (report["latency"]["array"], report["latency"]["dataflow"]) == ([4, 8], "os")
    assert report["operations"]["effectual_macs"] < 0.5 * report["operations"]["dense_macs"]
    packed = (quantized.parents[1] / "compressed.h5").stat().st_size
    assert 0 < packed - report["memory"]["packed_file_bytes"] < 1000


@pytest.mark.parametrize("size", ["96", "96x", "x96", "0x64", "96x-1", "96x64x3", "9.5x4", "AxB", "", "1e2x4"])
def test_a_size_that_is_not_hxw(refused: Refused, size: str) -> None:
    assert f"--size: not a size; found '{size.lower()}'" in refused(2, "cost", "reference", f"--size={size}").lower()


def test_a_size_beyond_any_image(refused: Refused) -> None:
    assert "found 99999x99999" in refused(2, "cost", "reference", "--size", "99999x99999")


def test_unknown_names(refused: Refused) -> None:
    assert "did you mean 'stereonet'?" in refused(2, "cost", "sterenet", "--size", "64x64")
    assert "unknown profile 'horowitz'; expected aladdin40, eyeriss65, horowitz45" in refused(
        2, "cost", "reference", "--size", "64x64", "--profile", "horowitz"
    )
    assert "--array: not a size" in refused(2, "cost", "reference", "--size", "64x64", "--array", "16")


def test_a_name_and_another_name(refused: Refused) -> None:
    line = refused(2, "cost", "reference", "--size", "64x64", "--network", "stereonet")
    assert "reference: --network is for published files; found stereonet" in line


def test_networks_side_by_side(run_main: Callable[..., str], checkpoint: Path, quantized: Path, tmp_path: Path) -> None:
    printed = run_main(
        "cost", "--compare", checkpoint, quantized, "--size", "32x64", "--out", tmp_path / "out",
        "--json", tmp_path / "comparison.json",
    )  # fmt: skip
    found = json.loads((tmp_path / "comparison.json").read_text())
    assert found == json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert (tmp_path / "out" / "comparison.md").read_text() == printed
    first, second = found["networks"]
    assert first["dense_macs"] == second["dense_macs"]
    assert second["stored_bytes"] < first["stored_bytes"]
    assert {row["profile"] for row in found["profiles"]} == {"aladdin40", "eyeriss65", "horowitz45"}
    assert found["conclusion_changes"]["mac_energy_pj"] is False


def test_what_cannot_be_compared(refused: Refused) -> None:
    assert "nothing to cost" in refused(2, "cost", "--size", "64x64")
    assert "found reference; expected two or more" in refused(2, "cost", "--compare", "reference", "--size", "64x64")
