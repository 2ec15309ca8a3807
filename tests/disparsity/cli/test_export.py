"""`export` and `import`: there and back without a bit of difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.base.atomic_io import sha256_of
from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.checkpoint.restore import open_network


@pytest.mark.parametrize("stage", ["01-prune", "04-finetune_quantized"])
def test_there_and_back(run_main: Callable[..., str], finished: Path, tmp_path: Path, stage: str) -> None:
    source = finished / "stages" / stage
    packed, again = tmp_path / "packed.h5", tmp_path / "again.h5"
    printed = run_main("export", source, "--format", "packed", "--out", packed)
    assert printed == f"{packed} {packed.stat().st_size} bytes\n"
    assert (
        run_main("import", packed, "--out", tmp_path / "restored") == f"{tmp_path / 'restored' / 'checkpoint.json'}\n"
    )
    before, after = open_network(str(source), None), open_network(str(tmp_path / "restored"), None)
    for name, layer in quantizable_layers(before).items():
        assert torch.equal(effective_weight(layer), effective_weight(after.get_submodule(name))), name
    views = torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(before(*views)[-1], after(*views)[-1])
    run_main("export", tmp_path / "restored", "--format", "packed", "--out", again)
    assert sha256_of(again) == sha256_of(packed)


def test_the_runs_own_file_is_what_export_writes(
    run_main: Callable[..., str], finished: Path, quantized: Path, tmp_path: Path
) -> None:
    run_main("export", quantized, "--format", "packed", "--out", tmp_path / "packed.h5")
    assert sha256_of(tmp_path / "packed.h5") == sha256_of(finished / "compressed.h5")


def test_outputs_in_the_way(refused: Callable[..., str], checkpoint: Path, finished: Path, tmp_path: Path) -> None:
    assert "is a folder" in refused(2, "export", checkpoint, "--format", "packed", "--out", tmp_path)
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refused(2, "import", finished / "compressed.h5", "--out", tmp_path / "file")


@pytest.mark.parametrize(
    ("kind", "found"),
    [("scalesim", "Layer name, IFMAP Height"), ("zigzag", "operator_type: Conv"), ("timeloop", "name: matrix_product")],
)
def test_the_workload_for_other_tools(
    run_main: Callable[..., str], checkpoint: Path, tmp_path: Path, kind: str, found: str
) -> None:
    out = tmp_path / "out"
    printed = run_main("export", checkpoint, "--format", kind, "--size", "32x64", "--out", out)
    assert printed == f"{out} {out.stat().st_size} bytes\n"
    assert found in out.read_text()


def test_sizes_are_for_workloads_alone(refused: Callable[..., str], checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options in (("--format", "zigzag"), ("--format", "packed", "--size", "32x64")):
        assert "--size" in refused(2, "export", checkpoint, *options, "--out", out)
    assert not out.exists()
