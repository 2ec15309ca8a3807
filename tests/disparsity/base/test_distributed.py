"""Two processes with half a batch each against one with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from disparsity.base import distributed
from disparsity.base.errors import LostProcessError

JOB = Path(__file__).with_name("parallel_job.py")


def run_job(folder: Path, count: int) -> list[dict[str, Tensor]]:
    """The tensors that every process of a group of `count` ends with."""
    folder.mkdir()
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    outs = [folder / f"{rank}.safetensors" for rank in range(count)]
    commands = [
        [sys.executable, str(JOB), str(folder / "meeting"), str(rank), str(count), str(out)]
        for rank, out in enumerate(outs)
    ]
    running = [subprocess.Popen(command, env=environment) for command in commands]
    assert [process.wait(300) for process in running] == [0] * count
    return [load_file(out) for out in outs]


@pytest.fixture(scope="module")
def alone_and_two(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("parallel")
    return run_job(folder / "one", 1)[0], run_job(folder / "two", 2)


@pytest.mark.slow
def test_two_processes_end_with_the_same_bits(alone_and_two) -> None:
    first, second = alone_and_two[1]
    for name in first.keys() - {"figures"}:
        assert torch.equal(first[name], second[name]), name


@pytest.mark.slow
def test_two_processes_prune_what_one_prunes(alone_and_two) -> None:
    alone, (first, _) = alone_and_two
    masks = [name for name in alone if name.endswith("mask")]
    assert masks
    assert any(not bool(alone[name].all()) for name in masks)
    for name in masks:
        assert torch.equal(alone[name], first[name]), name


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_whole_batch(alone_and_two) -> None:
    """Left out: biases that BatchNorm or the difference of the views cancels, and the means that follow them.

    Their gradient is nothing but rounding, which Adam brings to the size of a step; no output depends on them.
    """
    alone, (first, _) = alone_and_two
    weights = [name for name in alone if name.endswith((".weight.original", ".weight", "running_var"))]
    assert len(weights) > 30
    for name in weights:
        assert torch.allclose(alone[name], first[name], rtol=0, atol=1e-5), name


@pytest.mark.slow
def test_figures_are_those_of_all_samples(alone_and_two) -> None:
    alone, (first, second) = alone_and_two
    assert torch.equal(first["figures"][:2], second["figures"][:2])
    assert torch.allclose(alone["figures"], first["figures"], rtol=1e-4)
    assert first["figures"][2] == 1
    assert second["figures"][2] == 0  # the first process keeps the maps


def test_alone_nothing_is_exchanged() -> None:
    value = torch.tensor([1.0, 2.0])
    distributed.average([value])
    assert value.tolist() == [1.0, 2.0]
    assert (distributed.processes(), distributed.rank(), distributed.is_first()) == (1, 0, True)
    assert distributed.total(value).tolist() == [1.0, 2.0]
    assert distributed.mean_count(torch.tensor(3)) == 3
    assert distributed.any_true(answer=True)
    assert not distributed.from_rank0(answer=False)


def test_a_lost_process_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Tensor) -> None:
        raise RuntimeError("[gloo] Connection closed by peer [127.0.0.1]:1\nmore")

    monkeypatch.setattr(distributed, "_together", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", broken)
    with pytest.raises(LostProcessError, match="another process of this run has ended") as caught:
        distributed.total(torch.tensor(1))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 75
