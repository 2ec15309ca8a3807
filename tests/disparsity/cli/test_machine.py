"""`cost` with a machine of the user's own and on real pairs: options become figures, wrong ones a line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.cli.machine import parse_bytes

Refused = Callable[..., str]
PAIRS = "synthetic:?pairs=2&size=32x64&seed=9&max_disparity=16"


def test_the_machine_of_the_options_is_the_reports(
    run_main: Callable[..., str], quantized: Path, tmp_path: Path
) -> None:
    printed = run_main(
        "cost", quantized, "--size", "32x64", "--array", "4x8", "--dataflow", "os", "--buffer", "16KiB",
        "--dram-bandwidth", "0.5", "--lanes", "2", "--clock", "100", "--out", tmp_path / "out",
    )  # fmt: skip
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["machine"] == {
        "array": [4, 8], "dataflow": "os", "buffer_bytes": 16_384, "dram_bytes_per_cycle": 0.5, "lanes": 2,
        "clock_mhz": 100,
    }  # fmt: skip
    assert "machine: 4x8 array, os, buffer 16 KiB, DRAM 0.5 B per cycle, 2 lanes, 100 MHz" in printed
    roof, traffic = report["roofline"], report["traffic"]
    assert roof["milliseconds"]["dense"] == pytest.approx(roof["cycles"]["dense"] / 1e5)
    assert roof["cycles"]["dense"] >= traffic["dram_bytes"]["dense"] / 0.5
    assert traffic["dram_bytes"]["compressed"] < traffic["dram_bytes"]["dense"]
    assert report["accumulators"]["weights_bits"] <= report["accumulators"]["worst_case_bits"]
    assert report["effectual"] is None
    assert "not measured" in printed


def test_real_pairs_measure_zeros_and_sums(run_main: Callable[..., str], quantized: Path, tmp_path: Path) -> None:
    run_main("cost", quantized, "--size", "32x64", "--data", PAIRS, "--pairs", "2", "--json", tmp_path / "cost.json")
    report = json.loads((tmp_path / "cost.json").read_text())
    found = report["effectual"]
    assert (found["data"], found["pairs"], found["size"], found["cropped"]) == (PAIRS, 2, [32, 64], False)
    # the layers' products at the pairs' size, which is the report's, once per pair; parts without weights have none
    layers = [layer for layer in report["layers"] if layer["weight_count"]]
    assert found["dense_macs"] == 2 * sum(layer["dense_macs"] for layer in layers)
    assert found["macs"]["by_weight"] == 2 * sum(layer["effectual_macs"] for layer in layers)
    assert found["macs"]["by_both"] < min(found["macs"]["by_weight"], found["macs"]["by_activation"])
    assert all(0 <= layer["joint_effectual_percent"] <= layer["activation_effectual_percent"] for layer in layers)
    accumulators = report["accumulators"]
    assert accumulators["data_bits"] <= accumulators["weights_bits"] <= accumulators["worst_case_bits"]


def test_a_run_measures_its_first_test_pair(finished: Path) -> None:
    report = json.loads((finished / "report" / "report.json").read_text())
    assert (report["effectual"]["pairs"], report["effectual"]["size"]) == (1, [32, 64])
    assert (finished / "report" / "report.md").is_file()


@pytest.mark.parametrize(
    ("text", "size"),
    [("65536", 65_536), ("64KiB", 65_536), ("64 kib", 65_536), ("64kB", 64_000), ("0.5MiB", 524_288), ("1GB", 10**9)],
)
def test_bytes_with_units(text: str, size: int) -> None:
    assert parse_bytes(text, "--buffer") == size


@pytest.mark.parametrize("text", ["", "KiB", "64XB", "-1", "1e3", "64 Ki B", "nan"])
def test_what_is_no_number_of_bytes(text: str) -> None:
    with pytest.raises(InputError, match="--buffer: not a number of bytes"):
        parse_bytes(text, "--buffer")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--buffer", "64XB", "--buffer: not a number of bytes; found '64XB'"),
        ("--buffer", "0", "the buffer is out of range; found 0"),
        ("--dram-bandwidth", "0", "the DRAM bandwidth is out of range; found 0.0"),
        ("--lanes", "0", "the number of lanes is out of range; found 0"),
        ("--clock", "-5", "the clock is out of range; found -5.0"),
    ],
)
def test_a_machine_that_cannot_work(refused: Refused, option: str, value: str, message: str) -> None:
    assert message in refused(2, "cost", "reference", "--size", "64x64", f"{option}={value}")


def test_pairs_without_data_or_without_number(refused: Refused, checkpoint: Path) -> None:
    assert "--pairs: no pairs to measure on" in refused(
        2, "cost", checkpoint, "--size", "32x64", "--data", PAIRS, "--pairs", "0"
    )
    assert "--pairs is of --data; found 3" in refused(2, "cost", checkpoint, "--size", "32x64", "--pairs", "3")
    compared = refused(2, "cost", "--compare", "anynet", "reference", "--size", "32x64", "--pairs", "3")
    assert "--network, --data and --pairs are for one network" in compared
    assert "--network, --data and --pairs are for one network" in refused(
        2, "cost", "--compare", "reference", "stereonet", "--size", "64x64", "--data", PAIRS
    )
