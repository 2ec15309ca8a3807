"""Costs and exports in Python are those of the command line, of names, checkpoints and opened networks alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import disparsity
from disparsity.base.atomic_io import sha256_of
from disparsity.base.errors import InputError
from disparsity.cli import main


def test_a_report_is_the_commands(quantized: Path, tmp_path: Path) -> None:
    options = ["--array", "4x8", "--buffer", "64KiB", "--lanes", "2", "--json", str(tmp_path / "cost.json")]
    assert main(["cost", str(quantized), "--size", "32x64", *options]) == 0
    network = disparsity.load(quantized)
    report = disparsity.cost(network, (32, 64), array=(4, 8), buffer_bytes=65536, lanes=2)
    assert json.loads((tmp_path / "cost.json").read_text()) == json.loads(json.dumps(dict(report)))
    assert (
        disparsity.cost(network.module, "32x64", array="4x8", buffer_bytes=65536, lanes=2)["latency"]
        == (report["latency"])
    )


def test_an_opened_network_is_exported_like_its_checkpoint(finished: Path, quantized: Path, tmp_path: Path) -> None:
    for number, source in enumerate((quantized, disparsity.load(quantized), finished / "compressed.h5")):
        path = disparsity.export(source, "packed", tmp_path / f"{number}.h5")
        assert sha256_of(path) == sha256_of(finished / "compressed.h5")


def test_sizes_and_data_that_do_not_fit(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found zigzag, no --size; expected --size HxW with every format but packed"):
        disparsity.export(checkpoint, "zigzag", tmp_path / "out")
    with pytest.raises(InputError, match="only the format rtl runs a pair; found --data with zigzag"):
        disparsity.export(checkpoint, "zigzag", tmp_path / "out", size=(32, 64), data="synthetic:")
    with pytest.raises(InputError, match="--size: not a size; found '32'"):
        disparsity.cost(checkpoint, "32")
    with pytest.raises(InputError, match=r"unknown network 'sterenet'; expected .*; did you mean 'stereonet'"):
        disparsity.cost("sterenet", "32x64")
