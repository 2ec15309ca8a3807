"""Signals: a request to stop, which the training loop answers with a checkpoint."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from disparsity.base import distributed
from disparsity.base.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        self.asked = False
        self._at_once: Path | None = None

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Remember the first signal, or stop at once where nothing can be lost; a second one interrupts at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self._at_once is not None:
            raise _stopped(self._at_once)

    @contextmanager
    def at_once(self, where: Path) -> Iterator[None]:
        """Inside the block, which saves nothing before its end, a signal need not wait for a checkpoint.

        Raises:
            StoppedError: a signal came before or inside the block.

        """
        self._at_once = where
        try:
            self.raise_if_asked(where)
            yield
        finally:
            self._at_once = None

    def raise_if_asked(self, where: Path) -> None:
        """Stop at a moment when everything done so far has been written; all processes of a run call this together.

        Raises:
            StoppedError: this process or another has received a signal.

        """
        if distributed.any_true(self.asked):
            raise _stopped(where)


def _stopped(where: Path) -> StoppedError:
    remedy = "run the same command again to resume"
    return StoppedError("stopped by a signal after a clean checkpoint", where=where, remedy=remedy)


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Catch SIGINT and SIGTERM inside the block."""
    request = StopRequest()
    before = {number: signal.signal(number, request.ask) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
