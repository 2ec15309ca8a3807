"""Errors in the code of a user's network, as one line that names the place."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

import disparsity
from disparsity.base.errors import DisparsityError, InputError

_PACKAGE = Path(disparsity.__file__).resolve().parent
_FOLDERS = (_PACKAGE, *_PACKAGE.iterdir(), Path(torch.__file__).parents[1], Path(sysconfig.get_path("stdlib")))
_OTHERS = tuple(f"{folder.resolve()}/" for folder in _FOLDERS)
"""Folders of Python, of torch and of this package: the last frame outside of them is the user's."""


@contextmanager
def user_errors(name: str, what: str = "the network fails", remedy: str | None = None) -> Iterator[None]:
    """Raise whatever goes wrong inside the block as an error of the user's network `name`.

    Raises:
        InputError: any exception that is not of this package.

    """
    try:
        yield
    except DisparsityError:
        raise
    except Exception as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(what, where=name, found=f"{found}{_place(error)}", remedy=remedy) from error


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not str(Path(frame.filename).resolve()).startswith(_OTHERS)]
    return f", at {own[-1].filename}:{own[-1].lineno}" if own else ""
