"""Packed format of a network: one HDF5 file with entropy-coded integers."""

from __future__ import annotations

from disparsity.checkpoint.packed import write_network
from disparsity.export.format import Format

PACKED = Format(write=write_network, sized=False)
