"""Row 17: loader workers that are killed, fail or hang: one error in time, which names the samples, and no orphans."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.batches import prefetch
from disparsity.datasets.batches.prefetch import Prefetcher
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings


class Treacherous:
    """Scenes that do something else in another process than this one."""

    name = "scenes"

    def __init__(self, deed: Callable[[], object]) -> None:
        self._scenes = SyntheticDataset(SyntheticSettings(pairs=3, height=32, width=64, max_disparity=16.0))
        self._deed, self._home = deed, os.getpid()

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Sample:
        if os.getpid() != self._home:
            self._deed()
        return self._scenes[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._scenes)

    def ids(self) -> list[str]:
        return self._scenes.ids()

    def fingerprint(self) -> str:
        return "0"


def fails() -> None:
    raise ZeroDivisionError("by a user's reader")


def loses_its_memory() -> None:
    faulthandler.disable()  # pytest's would print a stack that looks like a crash of the tests
    os.kill(os.getpid(), signal.SIGBUS)


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), r"samples '.*': a data worker has died; found ended by SIGKILL"),
        (loses_its_memory, r"a data worker has died; found ended by SIGBUS; .*/dev/shm"),
        (lambda: os._exit(3), r"a data worker has died; found exit code 3"),
        (
            lambda: time.sleep(60),
            r"step 1, samples 'synthetic/0/00000\d', '.*': a data worker hangs; found no batch in",
        ),
        (fails, r"step \d: a data worker failed; found ZeroDivisionError: by a user's reader"),
    ],
)
def test_the_error_names_the_samples_and_nobody_is_left(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object], message: str
) -> None:
    monkeypatch.setattr(prefetch, "TIMEOUT_SECONDS", 3.0)
    stream = TrainingStream([Treacherous(deed)], [1.0], 2, None, 0)
    prefetcher = Prefetcher(stream, 2)
    first = prefetcher.next_batch(0)
    assert first.ids == stream.ids_of(0)
    with pytest.raises(DataError, match=message):
        _ = [prefetcher.next_batch(step) for step in range(1, 9)]
    assert multiprocessing.active_children() == []
