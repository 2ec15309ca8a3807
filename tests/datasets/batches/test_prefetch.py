"""Prefetching: the same batches with any number of workers, and a clear end when one of them dies."""

from __future__ import annotations

import os
import signal
import time

import pytest
import torch

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.augmentation.settings import MildAugmentationSettings
from disparsity.datasets.batches import prefetch
from disparsity.datasets.batches.prefetch import Prefetcher
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.uri import open_data

STEPS = [0, 1, 2, 3, 10, 11, 12, 2, 900, 901, 902, 903, 904, 905, 906]


class Counting:
    """A stream that tells which process made a batch and can be told to fail, die or hang at a step."""

    def __init__(self, fail: int = -1, die: int = -1, hang: int = -1) -> None:
        self._fail, self._die, self._hang = fail, die, hang

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        if step == self._fail:
            raise DataError("broken pair", where="x.png")
        if step == self._die:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == self._hang:
            time.sleep(60)
        value = torch.full((count or 1, 1), float(step))
        return Batch(left=value, right=value, disparity=value, valid=value > 0, ids=(str(os.getpid()),))


def scenes() -> TrainingStream:
    data = [open_data(f"synthetic:?pairs=3&size=32x48&seed={seed}&max_disparity=12") for seed in (1, 2)]
    return TrainingStream(data, [0.7, 0.3], 2, (24, 32), 5, augmentation=MildAugmentationSettings())


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_bits_are_those_of_the_stream_whatever_the_order_of_steps(workers):
    prefetcher, plain = Prefetcher(scenes(), workers), scenes()
    for step in STEPS:
        made, expected = prefetcher.next_batch(step), plain.next_batch(step)
        assert made.ids == expected.ids
        for name in ("left", "right", "disparity", "valid"):
            assert torch.equal(getattr(made, name), getattr(expected, name))
    assert torch.equal(prefetcher.next_batch(907, 1).left, plain.next_batch(907, 1).left)
    prefetcher.close()


def test_workers_take_turns_and_start_only_for_a_sequence():
    prefetcher = Prefetcher(Counting(), 2)
    makers = [prefetcher.next_batch(step).ids[0] for step in (0, 7, 8, 9, 10, 50, 11)]
    here = str(os.getpid())
    assert makers[:2] == [here, here]
    assert makers[5] == here
    assert makers[2] == makers[4]
    assert len({here, makers[2], makers[3]}) == 3
    assert makers[6] == makers[3]
    prefetcher.close()


def test_an_error_of_the_stream_is_raised_at_its_step():
    prefetcher = Prefetcher(Counting(fail=4), 2)
    for step in range(4):
        prefetcher.next_batch(step)
    with pytest.raises(DataError, match=r"^x\.png: broken pair$"):
        prefetcher.next_batch(4)


def test_a_killed_worker_is_named_with_its_signal():
    prefetcher = Prefetcher(Counting(die=3), 2)
    with pytest.raises(
        DataError, match=r"step \d: a data worker has died; found ended by SIGKILL; .* data\.workers to 0"
    ):
        [prefetcher.next_batch(step) for step in range(9)]


def test_a_hanging_worker_is_an_error(monkeypatch):
    monkeypatch.setattr(prefetch, "TIMEOUT_SECONDS", 0.2)
    prefetcher = Prefetcher(Counting(hang=2), 1)
    with pytest.raises(DataError, match=r"step 2: a data worker hangs; found no batch in 0\.2 s"):
        [prefetcher.next_batch(step) for step in range(9)]


def test_signals_to_the_group_leave_the_workers_alone():
    prefetcher = Prefetcher(Counting(), 1)
    prefetcher.next_batch(0)
    worker = int(prefetcher.next_batch(1).ids[0])
    os.kill(worker, signal.SIGINT)
    os.kill(worker, signal.SIGTERM)
    assert [prefetcher.next_batch(step).ids[0] for step in (2, 3, 4, 5)] == [str(worker)] * 4
    prefetcher.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_no_workers_are_refused():
    with pytest.raises(InputError, match="no workers"):
        Prefetcher(Counting(), 0)
