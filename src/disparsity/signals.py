"""Stopping cleanly: a signal asks, the training loop answers with a checkpoint."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from disparsity import parallel
from disparsity.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Remember the first signal; a second one interrupts at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def raise_if_asked(self, where: Path) -> None:
        """Stop at a moment when everything done so far has been written; all processes of a run call this together.

        Raises:
            StoppedError: a signal has asked this process or another.

        """
        if parallel.any_says(self.asked):
            raise StoppedError(
                "stopped by a signal after a clean checkpoint",
                where=where,
                remedy="the same command goes on from here",
            )


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
