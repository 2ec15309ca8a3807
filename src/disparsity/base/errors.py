"""Errors: the one exception family for what a user can cause; each class has its exit code.

A message says what is wrong, where, what was found, what was expected and what to do, on one line.
"""

from __future__ import annotations

from pathlib import Path


class DisparsityError(Exception):
    """Base class: everything a user can cause. `assert` is for our own mistakes."""

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
    ) -> None:
        parts = [f"{where}: {what}" if where is not None else what]
        if found is not None:
            parts.append(f"found {found}")
        if expected is not None:
            parts.append(f"expected {expected}")
        if remedy is not None:
            parts.append(remedy)
        super().__init__("; ".join(parts).replace("\n", " "))


class InputError(DisparsityError):
    """The user's input is wrong: an argument, a recipe, a folder."""


class DataError(InputError):
    """A data file or data set is missing, damaged or of the wrong kind."""


class BitDepthError(DataError):
    """An image has another number of bits per channel than it should."""


class SizeError(DataError):
    """The files of a sample differ in height or width."""


class StorageError(DisparsityError):
    """There is no room to write; not an `InputError`, since other settings would not help."""


class CorruptArtefactError(DisparsityError):
    """A checkpoint or packed network fails its checksum or cannot be parsed."""

    exit_code = 3


class DivergedError(DisparsityError):
    """The training produced a loss or a gradient that is not finite."""

    exit_code = 4


class StoppedError(DisparsityError):
    """A signal stopped the run after a clean checkpoint."""

    exit_code = 75


class LostProcessError(DisparsityError):
    """Another process that shared the run has ended; the last checkpoint is whole."""

    exit_code = 75


def exact(number: float) -> str:
    """A number with all its digits, so that two that differ look different in a message."""
    return repr(number).removesuffix(".0")
