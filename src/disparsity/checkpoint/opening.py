"""Checkpoint opening: a network from any kind of checkpoint that a user names."""

from __future__ import annotations

from pathlib import Path

from disparsity.base.errors import InputError
from disparsity.checkpoint.packed import read_network
from disparsity.checkpoint.restore import open_network
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.users import is_user_network, remember_written

_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_checkpoint(checkpoint: str, name: str | None) -> StereoNetwork:
    """As `open_network`, and packed files such as a run's `compressed.h5` too.

    Raises:
        InputError: there is no such checkpoint, or it belongs to another network.
        CorruptArtefactError: it is damaged.

    """
    path = Path(checkpoint)
    if not _is_packed(path):
        return open_network(checkpoint, name)
    if name is not None and is_user_network(name):
        remember_written(name)
    network = read_network(path)
    if name is not None and name != network.spec.name:
        raise InputError("checkpoint of another network", where=path, found=network.spec.name, expected=name)
    return network


def _is_packed(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5
