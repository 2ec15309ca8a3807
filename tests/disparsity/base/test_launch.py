"""Runs shared by two processes, as a launcher and as a recipe start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.base import distributed, launch
from disparsity.base.errors import InputError
from disparsity.checkpoint.checkpoints import load_checkpoint

Writer = Callable[..., Path]


def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    line = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_a_recipe_s_own_processes_do_one_stage(write_recipe: Writer, finished: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    done = call("disparsity", "prune", recipe, "--out", tmp_path / "two", "--set", "processes=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("01-prune") == 1  # one process speaks
    two, one = (load_checkpoint(run / "stages" / "01-prune").tensors for run in (tmp_path / "two", finished))
    masks = [name for name in one if name.endswith("mask")]
    assert masks
    assert all(torch.equal(one[name], two[name]) for name in masks)
    assert json.loads((tmp_path / "two" / "manifest.json").read_text())["processes"] == 2


@pytest.mark.slow
def test_a_launcher_s_processes_do_a_whole_run(write_recipe: Writer, tmp_path: Path) -> None:
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "disparsity", "run"]
    done = call(*launcher, write_recipe(tmp_path), "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report.html") == 1
    report = json.loads((tmp_path / "run" / "report" / "report.json").read_text())
    assert [row["stage"] for row in report["accuracy"]] == ["dense", "pruned", "quantized"]


def test_one_process_joins_nothing() -> None:
    with launch.process_group(1, []):
        assert distributed.processes() == 1


def test_half_a_launcher_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="RANK, MASTER_ADDR, MASTER_PORT"), launch.process_group(1, []):
        pass


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(write_recipe: Writer, tmp_path: Path) -> None:
    changes = ("--set", "processes=2", "--set", "data.batch=3")
    done = call("disparsity", "prune", write_recipe(tmp_path), "--out", tmp_path / "run", *changes)
    assert done.returncode == 2
    assert "data.batch" in done.stderr
    assert not (tmp_path / "run").exists()
