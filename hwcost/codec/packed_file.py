"""`compressed.h5`: the packed network in an HDF5 file that adds 447 bytes to it.

One contiguous data set `packed` of bytes, no attributes, no times, the newest object headers: the smallest file
that every HDF5 reader opens. Equal networks give equal files.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from disparsity.base.atomic_io import write_bytes
from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.hdf5 import check_length, own_array
from disparsity.hwcost.codec.packed_network import PackedNetwork

_DATASET = b"packed"
_SPARE_BYTES = 1 << 12


def write_content(path: Path, content: bytes) -> int:
    """Write a network that `packing` has coded; returns the bytes of the file."""
    write_bytes(path, _hdf5_of(content))
    return path.stat().st_size


def read_packed(path: Path) -> PackedNetwork:
    """Read a packed network.

    Raises:
        InputError: there is no such file.
        CorruptArtefactError: it is no HDF5 file, is cut short, or fails its checksum.

    """
    if not path.is_file():
        raise InputError("no such file", where=path, expected="a packed network (compressed.h5)")
    try:
        check_length(path)
        with h5py.File(path, "r") as file:
            content = bytes(np.asarray(own_array(file, _DATASET.decode()), np.uint8))
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, CorruptArtefactError) as error:
        raise CorruptArtefactError(
            "not a packed network", where=path, found=str(error)[:120], remedy="export it again"
        ) from error
    from disparsity.hwcost.codec.packing import unpack  # noqa: PLC0415 - its compiler is slow to import

    return unpack(content, where=str(path))


def _hdf5_of(content: bytes) -> bytes:
    """The file, made in memory: where a disk is full, HDF5 may end the whole process."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    access.set_meta_block_size(0)
    access.set_fapl_core(len(content) + _SPARE_BYTES, backing_store=False)
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_obj_track_times(False)
    file = h5py.h5f.create(b"packed in memory", h5py.h5f.ACC_TRUNC, fcpl=creation, fapl=access)
    try:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.CONTIGUOUS)
        plan.set_obj_track_times(False)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((len(content),))
        dataset = h5py.h5d.create(file, _DATASET, h5py.h5t.STD_U8LE, space, dcpl=plan)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.frombuffer(content, np.uint8))
        del dataset
        h5py.h5f.flush(file)
        return bytes(file.get_file_image())
    finally:
        file.close()
