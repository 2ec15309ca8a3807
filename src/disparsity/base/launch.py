"""Launch of the processes that share a run: those of a launcher such as torchrun, or the number that a recipe sets.

Processes of a recipe are not started by torch's `elastic_launch`: tried, its supervising process loads torch and then
computes nothing, replaces exit code 75 of a run stopped by SIGTERM by an exception of its own, and prints several log
lines with paths for every failure. Here the first process is one of the run, and its exit code is the run's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from disparsity.base import distributed
from disparsity.base.devices import LOCAL_NUMBER, backend
from disparsity.base.errors import InputError

MEETING_FILE = "DISPARSITY_MEETING_FILE"
"""Set for the processes that are started here: the file through which they find each other."""
_LAUNCHER = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_SHUTDOWN_SECONDS = 30.0


@contextmanager
def process_group(count: int, command: Sequence[str], device: str = "cpu") -> Iterator[None]:
    """Share the run inside the block with the other processes, if there are any.

    A launcher's processes win over the recipe's `count`. The processes of the recipe are started here, on
    this machine, with the same command line; this one is the first.

    Args:
        count: number of processes in the recipe.
        command: the command line after `disparsity`.
        device: that the recipe names, which decides the backend.

    Raises:
        InputError: the launcher's variables are incomplete.

    """
    if MEETING_FILE in os.environ:
        meeting, number = os.environ[MEETING_FILE], int(os.environ["RANK"])
        with distributed.initialized_group(f"file://{meeting}", number, count, backend(device)):
            yield
    elif "WORLD_SIZE" in os.environ:
        with _launched(device):
            yield
    elif count > 1:
        with _with_siblings(count, command, device):
            yield
    else:
        yield


@contextmanager
def _launched(device: str) -> Iterator[None]:
    missing = [name for name in _LAUNCHER if not os.environ.get(name)]
    if missing:
        raise InputError(
            "the launcher's environment is incomplete",
            found=f"no {', '.join(missing)}",
            expected="all that torchrun sets",
        )
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    with distributed.initialized_group("env://", number, count, backend(device)):
        yield


@contextmanager
def _with_siblings(count: int, command: Sequence[str], device: str) -> Iterator[None]:
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # the host's name may lead nowhere
    with tempfile.TemporaryDirectory(prefix="disparsity-") as folder:
        meeting = Path(folder) / "meeting"
        siblings = [_sibling(number, command, meeting) for number in range(1, count)]
        try:
            with distributed.initialized_group(f"file://{meeting}", 0, count, backend(device)):
                yield
        finally:
            _end(siblings)


def _sibling(number: int, command: Sequence[str], meeting: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {MEETING_FILE: str(meeting), "RANK": str(number), LOCAL_NUMBER: str(number)}
    line = [sys.executable, "-m", "disparsity", *command]
    return subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command line


def _end(siblings: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait for the other processes, which end when this one does; kill those that do not."""
    for process in siblings:
        try:
            process.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
