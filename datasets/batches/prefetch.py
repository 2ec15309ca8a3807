"""Batches made ahead of time by other processes, the same bits as without them.

Batch s is a pure function of s, so worker s mod N makes it and nothing has to be shared. Workers start with the first
request that continues the one before; a request out of sequence is answered here and now, and costs nothing else.
"""

from __future__ import annotations

import os
import signal
import weakref
from collections import deque
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

import torch
import torch.multiprocessing

from disparsity.base.errors import DataError, DisparsityError, InputError
from disparsity.datasets.batches.stream import Batch

_AHEAD = 2
_ORPHAN_CHECK_SECONDS = 5.0
TIMEOUT_SECONDS = 600.0
"""How long one batch may take: a hung network drive ends in an error, not in a run that stands still for ever."""


class BatchSource(Protocol):
    """What training draws from."""

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        ...


class Prefetcher:
    """A stream whose batches are made by worker processes; satisfies `BatchSource`.

    Args:
        stream: what makes a batch; each worker gets a copy of it.
        workers: number of processes, at least 1.

    Raises:
        InputError: there are no workers.
        DataError: while drawing, a worker has died or hangs; or whatever the stream raises.

    """

    def __init__(self, stream: BatchSource, workers: int) -> None:
        if workers < 1:
            raise InputError("no workers", found=workers, expected="1 or more")
        self._stream = stream
        self._count = workers
        self._last: int | None = None
        self._next = 0
        self._pending: deque[int] = deque()
        self._workers: list[tuple[BaseProcess, Connection]] = []

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        if count is not None:
            return self._stream.next_batch(step, count)
        continues, self._last = self._last is not None and step == self._last + 1, step
        if self._pending and self._pending[0] == step:
            return self._take()
        if not continues:
            return self._stream.next_batch(step)
        self._restart(step)
        return self._take()

    def close(self) -> None:
        """End the workers."""
        _end(self._workers)
        self._pending.clear()

    def _restart(self, step: int) -> None:
        """Begin a sequence at `step`; what has been made for another one is dropped."""
        if not self._workers:
            self._workers.extend(_start(self._stream) for _ in range(self._count))
            weakref.finalize(self, _end, self._workers)
        while self._pending:
            self._receive(self._pending.popleft())
        self._next = step
        for _ in range(self._count * _AHEAD):
            self._request()

    def _request(self) -> None:
        _, connection = self._workers[self._next % self._count]
        try:
            connection.send(self._next)
        except OSError as error:
            raise self._dead(self._next) from error
        self._pending.append(self._next)
        self._next += 1

    def _take(self) -> Batch:
        result = self._receive(self._pending.popleft())
        if isinstance(result, DisparsityError):
            self.close()
            raise result
        self._request()
        return result

    def _receive(self, step: int) -> Batch | DisparsityError:
        process, connection = self._workers[step % self._count]
        if not wait([connection, process.sentinel], TIMEOUT_SECONDS):
            self.close()
            raise DataError("a data worker hangs", where=self._where(step), found=f"no batch in {TIMEOUT_SECONDS:g} s")
        try:
            return connection.recv()
        except (EOFError, OSError, RuntimeError) as error:
            raise self._dead(step) from error

    def _dead(self, step: int) -> DataError:
        process, _ = self._workers[step % self._count]
        process.join(1.0)
        found = _ending(process.exitcode)
        self.close()
        return DataError(
            "a data worker has died",
            where=self._where(step),
            found=found,
            remedy="is there memory (also in /dev/shm)? Else set data.workers to 0; the run resumes where it saved",
        )

    def _where(self, step: int) -> str:
        """The step and, where the stream can tell, the samples that it asked for."""
        ids_of = getattr(self._stream, "ids_of", None)
        return f"step {step}" + (f", samples {', '.join(map(ascii, ids_of(step)))}" if ids_of else "")


def _start(stream: BatchSource) -> tuple[BaseProcess, Connection]:
    context = torch.multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(stream, theirs, ours, os.getpid()), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _work(stream: BatchSource, connection: Connection, other_end: Connection, parent: int) -> None:
    """Answer steps with batches until the parent is gone."""
    other_end.close()
    for name in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the parent saves first and still needs us
        signal.signal(name, signal.SIG_IGN)
    torch.set_num_threads(1)
    while True:
        while not connection.poll(_ORPHAN_CHECK_SECONDS):
            if os.getppid() != parent:
                return
        try:
            step = connection.recv()
            connection.send(_answer(stream, step))
        except (EOFError, OSError):
            return


def _answer(stream: BatchSource, step: int) -> Batch | DisparsityError:
    try:
        return stream.next_batch(step)
    except DisparsityError as error:
        return error
    except Exception as error:  # of a user's data set or of a library: one line there, not a traceback here
        return DataError("a data worker failed", where=f"step {step}", found=f"{type(error).__name__}: {error}")


def _end(workers: list[tuple[BaseProcess, Connection]]) -> None:
    for process, connection in workers:
        connection.close()
        process.kill()  # it holds nothing but copies
    for process, _ in workers:
        process.join()
    workers.clear()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"exit code {code}"
