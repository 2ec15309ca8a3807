"""Prefetching: batches made ahead by the worker processes of a DataLoader, the same bits as without them.

A batch is a pure function of its step, so the data set that the loader indexes is the sequence of batches. Workers
start with the first step that continues the one before; a step out of sequence is computed in this process.
"""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from disparsity.base.errors import DataError, DisparsityError, InputError
from disparsity.datasets.batches.stream import Batch

TIMEOUT_SECONDS = 600.0
"""How long one batch may take: a network drive that hangs ends the run with an error instead of blocking it."""
_BATCHES_AHEAD = 2


class BatchSource(Protocol):
    """Source of training batches."""

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        ...


class Prefetcher:
    """A stream whose batches are made by worker processes; satisfies `BatchSource`.

    Args:
        stream: makes a batch; each worker has a copy of it.
        workers: number of processes, at least 1.

    Raises:
        InputError: there are no workers.
        DataError: in `next_batch`, a worker has died or hangs; or any error of the stream.

    """

    def __init__(self, stream: BatchSource, workers: int) -> None:
        if workers < 1:
            raise InputError("no workers", found=workers, expected="1 or more")
        self._stream = stream
        self._last: int | None = None
        self._count = workers
        self._steps = _Steps()
        self._loader: DataLoader[Any] | None = None
        self._batches: Iterator[Batch | DisparsityError] | None = None
        self._next = -1
        self._workers: list[BaseProcess] = []
        weakref.finalize(self, _kill, self._workers)

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        if count is not None:
            return self._stream.next_batch(step, count)
        continues, self._last = self._last is not None and step == self._last + 1, step
        if step != self._next and not continues:
            return self._stream.next_batch(step)
        try:
            with _raising_when_one_dies(self._workers):
                if step != self._next or self._batches is None:
                    self._start(step)
                assert self._batches is not None
                result = next(self._batches)
        except RuntimeError as error:
            raise self._dead(step) from error
        self._next = step + 1
        if isinstance(result, DisparsityError):
            self.close()
            raise result
        return result

    def close(self) -> None:
        """End the workers."""
        _kill(self._workers)
        self._loader, self._batches, self._next = None, None, -1

    def _start(self, step: int) -> None:
        """Begin a sequence at `step`; batches made ahead for another one are dropped."""
        if self._loader is None:
            self._loader = _loader(self._stream, self._steps, self._count)
        self._steps.first = step
        before = multiprocessing.active_children()
        with warnings.catch_warnings(action="ignore"):  # more workers than processors are for the user to choose
            self._batches = iter(self._loader)
        self._workers.extend(process for process in multiprocessing.active_children() if process not in before)

    def _dead(self, step: int) -> DataError:
        codes = [process.exitcode for process in self._workers if process.exitcode is not None]
        self.close()
        if -signal.SIGALRM in codes:
            found = f"no batch in {TIMEOUT_SECONDS:g} s"
            return DataError("a data worker hangs", where=self._where(step), found=found)
        return DataError(
            "a data worker has died",
            where=self._where(step),
            found=_ending(codes[0]) if codes else "no exit code",
            remedy="is there memory (also in /dev/shm)? Else set data.workers to 0; the run resumes where it saved",
        )

    def _where(self, step: int) -> str:
        """The step and, where the stream has them, its samples."""
        ids_of = getattr(self._stream, "ids_of", None)
        return f"step {step}" + (f", samples {', '.join(map(ascii, ids_of(step)))}" if ids_of else "")


def _loader(stream: BatchSource, steps: _Steps, workers: int) -> DataLoader[Any]:
    with warnings.catch_warnings(action="ignore"):
        return DataLoader(
            _Batches(stream),
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            prefetch_factor=_BATCHES_AHEAD,
            worker_init_fn=_ignore_stop_signals,
            multiprocessing_context="fork",
            persistent_workers=True,  # a worker keeps its decoded samples
            generator=torch.Generator(),  # else the loader draws from the global generator, whose state others need
        )


class _Steps(Sampler[int]):
    """All steps from `first` on."""

    first = 0

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first)


class _Batches(Dataset["Batch | DisparsityError"]):
    """The batches of a stream by their step, made in a worker; an error is a result that this process raises."""

    def __init__(self, stream: BatchSource) -> None:
        self._stream = stream

    def __getitem__(self, step: int) -> Batch | DisparsityError:
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT_SECONDS)  # SIGALRM ends a worker that hangs, also inside a library
        try:
            return self._stream.next_batch(step)
        except DisparsityError as error:
            return error
        except Exception as error:  # of a user's data set or of a library: one line there, not a traceback here
            return DataError("a data worker failed", where=f"step {step}", found=f"{type(error).__name__}: {error}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _raising_when_one_dies(workers: list[BaseProcess]) -> Iterator[None]:
    """A RuntimeError inside the block as soon as a worker dies; in another thread than the first, after 5 s.

    The loader's own handler would stay, and raise wherever the training is just then, even in the middle of a write.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def check(*_: object) -> None:
        if any(process.exitcode is not None for process in workers):
            raise RuntimeError("a worker has died")

    before = signal.signal(signal.SIGCHLD, check)
    try:
        check()
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


def _ignore_stop_signals(_worker: int) -> None:
    """Signals are sent to the whole process group; the parent saves first, and still needs its workers."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)


def _kill(workers: list[BaseProcess]) -> None:
    for process in workers:
        process.kill()  # it holds nothing but copies; SIGTERM it ignores
        process.join()
    workers.clear()


def _ending(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
