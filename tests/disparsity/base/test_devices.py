"""Which device a run takes, and that a whole run computes on another device than the CPU, to the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.base import devices, distributed
from disparsity.base.errors import InputError

Writer = Callable[..., Path]


def pretend(monkeypatch: pytest.MonkeyPatch, gpus: int, processes: int = 1) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(distributed, "processes", lambda: processes)


@pytest.mark.parametrize(
    ("name", "gpus", "expected"),
    [("auto", 0, "cpu"), ("cpu", 2, "cpu"), ("auto", 2, "cuda:0"), ("cuda", 1, "cuda:0"), ("cuda:1", 2, "cuda:1")],
)
def test_a_name_becomes_a_device(monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, expected: str) -> None:
    pretend(monkeypatch, gpus)
    monkeypatch.setenv("LOCAL_RANK", "5")  # somebody else's: this process is alone
    assert devices.choose_device(name) == torch.device(expected)


@pytest.mark.parametrize(
    ("name", "gpus", "message"),
    [
        ("gpu", 1, "device: not a device; found 'gpu'; expected auto, cpu, cuda or cuda:N"),
        ("cuda:", 1, "not a device"),
        ("cuda:-1", 1, "not a device"),
        ("cuda", 0, "device: no such device; found cuda:0; expected a GPU that torch can use"),
        ("cuda:2", 2, "found cuda:2; expected one of 2 GPUs, counted from 0"),
    ],
)
def test_an_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, message: str) -> None:
    pretend(monkeypatch, gpus)
    with pytest.raises(InputError, match=message.replace(".", r"\.")) as caught:
        devices.choose_device(name)
    assert caught.value.exit_code == 2


def test_every_process_takes_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, gpus=2, processes=2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert devices.choose_device("cuda") == devices.choose_device("auto") == torch.device("cuda:1")
    with pytest.raises(InputError, match="a GPU of its own"):
        devices.choose_device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="found cuda:2; expected one of 2 GPUs"):
        devices.choose_device("auto")


def test_processes_talk_as_their_devices_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    pretend(monkeypatch, gpus=1)
    both = "cpu:gloo,cuda:nccl"
    assert [devices.backend(name) for name in ("cpu", "auto", "cuda", "cuda:0")] == ["gloo", both, both, both]
    pretend(monkeypatch, gpus=0)
    assert devices.backend("auto") == "gloo"


def test_a_gpu_is_made_the_current_one_and_may_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    devices.use_device(torch.device("cuda:1"))
    assert chosen == [torch.device("cuda:1")]
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cudnn.allow_tf32
    devices.use_device(torch.device("cpu"))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert chosen == [torch.device("cuda:1")]


def test_repeatable_runs_do_not_pay_for_filling_what_is_written_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    devices.use_device(torch.device("cpu"))
    assert not torch.utils.deterministic.fill_uninitialized_memory
    with torch.profiler.profile() as seen:
        torch.empty(8)
    assert "aten::fill_" not in {event.key for event in seen.key_averages()}
