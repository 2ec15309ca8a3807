"""Batches on a device: what is asked of torch, since no GPU can be counted on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.datasets.batches.device import DeviceStream
from disparsity.datasets.batches.stream import Batch

VIEWS = torch.zeros(2, 3, 4, 8)


class Source:
    def next_batch(self, step: int, count: int | None = None) -> Batch:
        truth = torch.zeros(2, 4, 8)
        return Batch(left=VIEWS, right=VIEWS, disparity=truth, valid=truth > 0, ids=(f"{step}", f"{count}"))


def test_nothing_is_copied_on_the_cpu() -> None:
    batch = DeviceStream(Source(), torch.device("cpu")).next_batch(3, 5)
    assert batch.left is VIEWS
    assert batch.ids == ("3", "5")


def test_every_tensor_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = DeviceStream(Source(), torch.device("meta")).next_batch(0)
    assert {value.device.type for value in vars(batch).values() if isinstance(value, Tensor)} == {"meta"}


def test_a_gpu_is_sent_pinned_memory_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[Tensor] = []
    sent: list[tuple[Tensor, torch.device, bool]] = []

    def pin(tensor: Tensor) -> Tensor:
        pinned.append(tensor.clone())
        return pinned[-1]

    def to(tensor: Tensor, device: torch.device, *, non_blocking: bool = False) -> Tensor:
        sent.append((tensor, device, non_blocking))
        return tensor

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    monkeypatch.setattr(Tensor, "to", to)
    device = torch.device("cuda:1")
    DeviceStream(Source(), device).next_batch(0)
    assert len(sent) == 4
    assert all(
        tensor is mine and place == device and free for (tensor, place, free), mine in zip(sent, pinned, strict=True)
    )
