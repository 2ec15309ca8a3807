"""Work in forked processes: killed, limited and timed without harm to this one."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

FAILED = 99
_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2): a driver that is killed leaves nobody behind."""


def start(work: Callable[[], object]) -> int:
    """Do work in a forked process; returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(FAILED)
    os._exit(0)


def ended(child: int) -> int:
    """Wait for a process; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(child: int, seconds: float) -> int:
    """Kill a process by SIGKILL after a while; how it ended."""
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return ended(child)


def wait_for(path: Path, child: int) -> None:
    """Wait until a child has made a file."""
    while not path.exists():
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            raise AssertionError(f"the child ended before it wrote {path.name}")
        time.sleep(0.001)
