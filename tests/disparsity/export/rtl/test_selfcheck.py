"""The check that is shipped: on sums by hand, on every kind of layer, and on folders with one wrong digit."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from disparsity.export.rtl import selfcheck
from disparsity.export.rtl.selfcheck import accumulate, input_codes, main, to_signed


def run(folder: Path) -> tuple[int, list[str]]:
    """The script of the folder in a Python of its own, without this package."""
    done = subprocess.run(
        [sys.executable, "-I", "selfcheck.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def copied(rtl_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rtl_folder, tmp_path / "copy"))


def change_digit(path: Path, line: int) -> None:
    """The last digit of a line."""
    lines = path.read_text().splitlines()
    lines[line] = f"{lines[line][:-1]}{int(lines[line][-1], 16) ^ 1:x}"
    path.write_text("\n".join(lines) + "\n")


def trust(folder: Path) -> None:
    """Put the checksums of what the files hold now into the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {
        name: selfcheck.hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_whole_folder_matches(rtl_folder: Path) -> None:
    code, lines = run(rtl_folder)
    layers = json.loads((rtl_folder / "manifest.json").read_text())["layers"]
    assert code == 0
    assert lines[-1] == "all layers match"
    assert len(lines) == 1 + sum(len(layer["calls"]) for layer in layers) > len(layers)


@pytest.mark.parametrize(
    "file", ["weights", "multipliers", "shifts", "biases", "call0_input", "call0_code", "call0_output"]
)
def test_one_wrong_digit_names_the_layer(copied: Path, file: str) -> None:
    folder = sorted((copied / "layers").iterdir())[3]
    change_digit(folder / f"{file}.hex", 0)
    code, lines = run(copied)
    failed = [line for line in lines if line.startswith("FAILED")]
    assert code == 1
    assert failed == [
        f"FAILED  {folder.name[4:]}: the checksum of layers/{folder.name}/{file}.hex is not the manifest's"
    ]
    assert lines[-1].startswith("1 of ")


@pytest.mark.parametrize(("file", "reason"), [
    ("weights", "holds other weights than"), ("multipliers", "words of .* differ"), ("biases", "words of .* differ"),
    ("shifts", "words of .* differ"), ("call0_code", "words of .*code.hex differ"),
    ("call0_output", "1 words of .* differ"),
])  # fmt: skip
def test_the_arithmetic_finds_it_without_checksums(
    copied: Path, capsys: pytest.CaptureFixture[str], file: str, reason: str
) -> None:
    folder = sorted((copied / "layers").iterdir())[3]
    change_digit(folder / f"{file}.hex", 1)
    trust(copied)
    assert main([str(copied)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1
    assert re.match(rf"FAILED  {re.escape(folder.name[4:])}: .*{reason}", failed[0])


def test_files_that_are_gone_cut_or_no_hex(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = sorted((copied / "layers").iterdir())
    weights = folders[1] / "weights.hex"
    weights.write_bytes(weights.read_bytes()[:-1])
    (folders[2] / "biases.hex").write_text((folders[2] / "biases.hex").read_text().replace("\n", "g", 1))
    shifts = folders[4] / "shifts.hex"
    shifts.write_text("x" + shifts.read_text()[1:])
    trust(copied)
    (folders[0] / "shifts.hex").unlink()
    assert main([str(copied)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert [line.split(": ", 1)[0] for line in failed] == [f"FAILED  {folders[i].name[4:]}" for i in (0, 1, 2, 4)]
    assert "No such file" in failed[0]
    assert "weights.hex is cut off" in failed[1]
    assert "biases.hex holds something else than lines of 8 hexadecimal digits" in failed[2]
    assert "shifts.hex holds something else than lines of 2 hexadecimal digits" in failed[3]


def test_an_overflowing_accumulator_is_found(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["layers"][0]["accumulator"]["bits"] = 8
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert main([str(copied)]) == 1
    assert f"FAILED  {manifest['layers'][0]['name']}: a sum does not fit 8 bits" in capsys.readouterr().out


def test_another_schema_is_refused(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "manifest.json").write_text(json.dumps({"schema": "disparsity.rtl", "version": 2}))
    assert main([str(copied)]) == 1
    assert "another schema or version" in capsys.readouterr().out


def test_it_needs_numpy_and_the_standard_library_alone() -> None:
    tree = ast.parse(Path(selfcheck.__file__).read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in names} - set(sys.stdlib_module_names) == {"numpy"}


def geometry(**changes: Any) -> dict[str, Any]:
    plain = {"kind": "convolution", "in_channels": 4, "out_channels": 6, "groups": 2, "kernel": [3, 2]}
    return plain | {"stride": [2, 1], "dilation": [1, 2], "padding": [[1, 1], [0, 2]]} | changes


def test_convolutions_are_torchs() -> None:
    rng = np.random.default_rng(0)
    codes, weights = rng.integers(-9, 9, (2, 4, 5, 6)), rng.integers(-9, 9, (6, 2, 3, 2))
    padded = F.pad(torch.tensor(codes), (0, 2, 1, 1))
    expected = F.conv2d(padded, torch.tensor(weights), stride=(2, 1), dilation=(1, 2), groups=2)
    found = accumulate(codes, weights, geometry(), list(expected.shape))
    np.testing.assert_array_equal(found, expected.numpy())


@pytest.mark.parametrize("extra", [0, 1])
def test_transposed_convolutions_are_torchs(extra: int) -> None:
    rng = np.random.default_rng(1)
    codes, weights = rng.integers(-9, 9, (2, 4, 3, 5)), rng.integers(-9, 9, (4, 3, 4, 3))
    options = {"stride": 2, "dilation": (1, 2), "padding": (1, 2), "output_padding": extra, "groups": 2}
    expected = F.conv_transpose2d(torch.tensor(codes).double(), torch.tensor(weights).double(), **options)
    entry = geometry(kind="transposed_convolution", kernel=[4, 3], stride=[2, 2], dilation=[1, 2])
    found = accumulate(codes, weights, entry | {"padding": [[1, 1], [2, 2]]}, list(expected.shape))
    np.testing.assert_array_equal(found, expected.numpy())


def test_linear_layers_by_hand() -> None:
    found = accumulate(np.array([[1, -2, 3]]), np.array([[1, 1, 1], [2, 0, -1]]), {"kind": "linear"}, [1, 2])
    assert found.tolist() == [[2, -1]]


def test_rounding_by_hand() -> None:
    """A multiplier of 1 and a shift of 2 divide by 4: 2 and -2 are ties, which go up."""
    stage = {"multiplier": 1, "shift": 2, "low": -2, "high": 3}
    assert input_codes(np.array([1, 2, 3, -1, -2, -3, -6, -7, 100, -100]), stage).tolist() == [
        0, 1, 1, 0, 0, -1, -1, -2, 3, -2
    ]  # fmt: skip
    assert to_signed(np.array([0, 7, 8, 15]), 4).tolist() == [0, 7, -8, -1]
