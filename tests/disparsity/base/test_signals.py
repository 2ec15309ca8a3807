"""Signals ask once, interrupt twice, and the old handlers come back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from disparsity.base.errors import StoppedError
from disparsity.base.signals import StopRequest, stop_on_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_second_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signal() as stop:
        assert not stop.asked
        stop.raise_if_asked(Path("run"))
        os.kill(os.getpid(), number)
        assert stop.asked
        with pytest.raises(
            StoppedError, match=r"run: stopped by a signal.*run the same command again to resume"
        ) as caught:
            stop.raise_if_asked(Path("run"))
        assert caught.value.exit_code == 75
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_an_error() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), stop_on_signal():
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_where_nothing_is_half_written_a_signal_stops_at_once(number: signal.Signals) -> None:
    reached = []
    with stop_on_signal() as stop:
        with pytest.raises(StoppedError, match=r"run: stopped by a signal"), stop.at_once(Path("run")):
            reached.append(os.kill(os.getpid(), number))
        with pytest.raises(StoppedError), stop.at_once(Path("run")):
            reached.append("after an earlier signal")
    with stop_on_signal() as stop:
        with stop.at_once(Path("run")):
            pass
        os.kill(os.getpid(), number)
        assert stop.asked
    assert reached == []


def test_request_can_be_made_without_a_signal() -> None:
    request = StopRequest()
    request.ask(signal.SIGTERM, None)
    assert request.asked
