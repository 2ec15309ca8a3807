"""The example in Verilog, simulated where a simulator is installed; what it is simulated on by hand."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from disparsity.export.rtl.example import macros, products_of, write_example
from disparsity.export.rtl.layers import describe_layer, write_layer
from disparsity.export.rtl.words import hex_lines
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.settings import IntegerSettings

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
SOURCES = ["rtl/lane.sv", "rtl/testbench.sv"]


def simulate(folder: Path, built: Path, *options: str) -> subprocess.CompletedProcess[str]:
    compile_ = ["iverilog", "-g2012", "-Wall", "-I", "rtl", "-o", str(built), *SOURCES]
    compiled = subprocess.run(compile_, cwd=folder, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    return subprocess.run(["vvp", "-n", str(built), *options], cwd=folder, capture_output=True, text=True, check=False)


@icarus
def test_the_example_of_a_network_matches(rtl_folder: Path, tmp_path: Path) -> None:
    run = simulate(rtl_folder, tmp_path / "example.vvp")
    manifest = json.loads((rtl_folder / "manifest.json").read_text())
    assert run.returncode == 0, run.stdout
    assert f"ok      {manifest['example']['layer']}: " in run.stdout
    assert "FAILED" not in run.stdout
    assert not list((rtl_folder).glob("*.vvp"))


@verilator
@pytest.mark.slow
def test_the_example_matches_in_verilator(rtl_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(rtl_folder, folder)
    build = ["verilator", "--binary", "--timing", "-Irtl", "-Wno-fatal", "--top-module", "testbench", *SOURCES]
    subprocess.run(build, cwd=folder, capture_output=True, check=True)
    run = subprocess.run(["obj_dir/Vtestbench"], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


LAYERS = {
    "plane": (lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), (2, 2, 5, 6), 8, -37),
    "grouped": (lambda: nn.Conv2d(4, 6, 3, groups=2, padding=1), (1, 4, 4, 4), 8, 0),
    "deep": (lambda: nn.Conv3d(2, 2, 3, padding=1, stride=(1, 2, 1)), (1, 2, 3, 4, 3), 4, -3),
    "line": (lambda: nn.Conv1d(2, 2, 3, padding="same"), (1, 2, 6), 16, -40000),
}


def write_one(root: Path, kind: str, **settings: int) -> dict[str, Any]:
    """One layer and one call of it as a folder that the example can be written for."""
    make, shape, bits, low = LAYERS[kind]
    torch.manual_seed(0)
    layer = make()
    attach_quantizers(nn.Sequential(layer), {"0": LayerBits(weights=5, activations=bits)})
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    quantizer.low = low
    quantizer.set_step(8.0 / 2**bits)
    integer = IntegerConvolution(kind, layer, IntegerSettings(**settings))
    entry = describe_layer(integer, "layers/000")
    write_layer(integer, root, entry)
    inputs = integer.enter(4 * torch.randn(shape))
    codes = integer.input_codes(inputs)
    outputs = integer.rescale(integer.accumulate(codes))
    call: dict[str, Any] = {"input_shape": list(shape), "output_shape": list(outputs.shape)}
    words = {"input": (inputs, 32), "code": (codes - low, bits), "output": (outputs, entry["output"]["bits"])}
    for name, (values, width) in words.items():
        call[f"{name}_file"] = f"layers/000/{name}.hex"
        (root / call[f"{name}_file"]).write_bytes(hex_lines(values.numpy(), width))
    entry["calls"].append(call)
    return entry


@icarus
@pytest.mark.parametrize("kind", list(LAYERS))
def test_every_shape_of_convolution_matches(tmp_path: Path, kind: str) -> None:
    entry = write_one(tmp_path, kind, accumulator_bits=30, output_bits=24)
    assert write_example(tmp_path, [entry]) == {"layer": kind, "call": 0, "folder": "rtl"}
    run = simulate(tmp_path, tmp_path / "example.vvp")
    assert run.returncode == 0, run.stdout
    count = math.prod(entry["calls"][0]["output_shape"])
    assert f"ok      {kind}: {count} of {count} outputs" in run.stdout
    assert f"ok      {kind}: 5 of {count} outputs" in simulate(tmp_path, tmp_path / "x.vvp", "+outputs=5").stdout


@icarus
@pytest.mark.parametrize("file", ["weights", "multipliers", "shifts", "biases", "input", "code", "output"])
def test_one_wrong_digit_fails(tmp_path: Path, file: str) -> None:
    write_example(tmp_path, [write_one(tmp_path, "grouped")])
    path = tmp_path / "layers/000" / f"{file}.hex"
    lines = path.read_text().splitlines()
    flipped = 8 if file == "input" else 1  # an input of the same sign may be clipped to the same code
    lines[0] = f"{int(lines[0][0], 16) ^ flipped:x}{lines[0][1:]}"
    path.write_text("\n".join(lines) + "\n")
    run = simulate(tmp_path, tmp_path / "example.vvp")
    assert run.returncode != 0
    assert "FAILED" in run.stdout


def test_the_cheapest_convolution_is_chosen(tmp_path: Path) -> None:
    """Products by hand: 2x3x2x2 outputs of 12 for the plane one; a transposed one has the products of its inputs."""
    plane = write_one(tmp_path / "a", "plane")
    plane["calls"][0]["output_shape"] = [2, 3, 2, 2]
    assert products_of(plane, plane["calls"][0]) == 24 * 12
    transposed = plane | {"kind": "transposed_convolution"}
    assert products_of(transposed, plane["calls"][0]) == 2 * 2 * 5 * 6 * 12
    linear = plane | {"kind": "linear"}
    assert write_example(tmp_path, [transposed, linear]) is None
    assert not (tmp_path / "rtl").exists()
    other = plane | {"name": "larger", "calls": [plane["calls"][0] | {"output_shape": [9, 9, 9, 9]}]}
    chosen = write_example(tmp_path, [other, transposed, plane])
    assert chosen == {"layer": "plane", "call": 0, "folder": "rtl"}


def test_missing_axes_come_first(tmp_path: Path) -> None:
    entry = write_one(tmp_path, "line")
    found = macros(entry, entry["calls"][0])
    assert [found[f"IN_{axis}"] for axis in range(3)] == [1, 1, 6]
    assert [found[f"KERNEL_{axis}"] for axis in range(3)] == [1, 1, 3]
    assert [found[f"PADDING_{axis}"] for axis in range(3)] == [0, 0, 1]
    assert found["CODE_LOW"] == "(-40000)"
