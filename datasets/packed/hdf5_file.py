"""HDF5 file for reading in several processes: each opens it for itself, and damage raises one kind of error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import CorruptArtefactError
from disparsity.base.hdf5 import check_length, own_array

DAMAGE = (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError, OverflowError, MemoryError)
"""What h5py raises for a file that is cut, damaged or of another kind."""


class ProcessFile:
    """A file for reading. Handles never cross a fork or a pickle: HDF5's state is not made to be shared."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._owner = -1
        self._file: h5py.File | None = None
        self._arrays: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def open(self) -> h5py.File:
        """The handle of this process.

        Raises:
            CorruptArtefactError: the file is no HDF5 file, or is cut.

        """
        if self._file is None or self._owner != os.getpid():
            self._arrays.clear()
            self._file = None  # a handle inherited through a fork goes before the same file is opened again
            try:
                check_length(self.path)
                self._file = h5py.File(self.path, "r", locking=False)
            except (OSError, CorruptArtefactError) as error:
                raise self._damaged(error) from error
            self._owner = os.getpid()
        return self._file

    def read(self, name: str, where: tuple[int | slice, ...]) -> NDArray[Any]:
        """A part of an array.

        Raises:
            CorruptArtefactError: the part is damaged, or there is no such array.

        """
        file = self.open()
        try:
            if name not in self._arrays:
                self._arrays[name] = own_array(file, name)
            return np.asarray(self._arrays[name][where])
        except DAMAGE as error:
            raise self._damaged(error) from error

    def whole(self, name: str) -> NDArray[Any]:
        """A whole array; raises as `read`."""
        return self.read(name, ())

    def _damaged(self, error: BaseException) -> CorruptArtefactError:
        found = " ".join(str(error).split())[:160]
        return CorruptArtefactError("damaged, or no packed data", where=self.path, found=found, remedy="pack it again")
