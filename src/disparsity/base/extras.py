"""Extras: packages that only some commands need, imported when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from disparsity.base.errors import InputError


def import_extra(package: str, extra: str) -> ModuleType:
    """A package of one of our extras.

    Args:
        package: its import name.
        extra: the name in brackets of `pip install 'disparsity[...]'`.

    Raises:
        InputError: it is not installed, or it cannot be imported.

    """
    remedy = f"pip install 'disparsity[{extra}]'"
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise InputError(f"the package {error.name} is not installed", remedy=remedy) from error
    except ImportError as error:
        raise InputError(f"the package {package} cannot be imported", found=error, remedy=remedy) from error
