"""Writer of packed data: one HDF5 file, written to a temporary file, read back, compared, then renamed."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.atomic_io import write_atomic
from disparsity.base.errors import DataError
from disparsity.base.progress import progress
from disparsity.datasets.packed.disparity_codes import CODINGS, encode
from disparsity.datasets.packed.reader import SCHEMA, VERSION, PackedDataset, PackedSettings, digest
from disparsity.datasets.packed.sources import content_of, stats_of
from disparsity.datasets.readers.folder import to_view
from disparsity.datasets.sample import Sample, StereoDataset, files_of, has_ground_truth

TILE = 64
"""Height and width of a chunk in pixels: 12 kB of colour, small against a crop and large against HDF5's overhead."""


def pack(dataset: StereoDataset, path: Path) -> dict[str, Any]:
    """Write `dataset` to `path`; the samples read back from it are the same bit by bit.

    Returns:
        `samples`, `bytes`, `codings` {coding of the disparity: samples} and `sizes` {HxW: samples}.

    Raises:
        DataError: a sample cannot be read, its views are not 8-bit images, or the file does not read back.

    """
    writer = _Writer(dataset)
    write_atomic(path, writer.write)
    return {
        "samples": len(dataset),
        "bytes": path.stat().st_size,
        "codings": dict(Counter(list(CODINGS)[place[3]] for place in writer.places)),
        "sizes": dict(Counter(f"{place[0]}x{place[1]}" for place in writer.places)),
    }


@dataclass
class _Writer:
    """One packing in progress: the rows of the tables so far."""

    dataset: StereoDataset
    places: list[tuple[int, ...]] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    files: list[tuple[Path, ...]] = field(default_factory=list)
    stats: list[NDArray[np.int64]] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)

    def write(self, temporary: Path) -> None:
        """The whole file, compared with what was packed."""
        with h5py.File(temporary, "w", libver="latest") as file:
            for index in progress(range(len(self.dataset)), f"pack {self.dataset.name}", total=len(self.dataset)):
                self._add_sources(index)
                self._add(file, self.dataset[index])
            self._add_tables(file)
        packed = PackedDataset(PackedSettings(path=temporary, sources="ignore"))
        for index in progress(range(len(packed)), "read back", total=len(packed)):
            packed.check(index)

    def _add_sources(self, index: int) -> None:
        files = files_of(self.dataset, index)
        self.files.append(tuple(path.absolute() for path in files))
        self.stats.append(stats_of(files))
        self.contents.append(content_of(files))

    def _add(self, file: h5py.File, sample: Sample) -> None:
        height, width = sample.disparity.shape
        _check_unknown(sample)
        views = [_codes(sample, view) for view in (sample.left, sample.right)]
        coding, disparity = encode(sample.disparity.numpy())
        group = f"{height}x{width}"
        row = _append(file, f"{group}/left", views[0])
        _append(file, f"{group}/right", views[1])
        code_row = _append(file, f"{group}/{coding}", disparity)
        self.places.append((height, width, row, list(CODINGS).index(coding), code_row))
        self.digests.append(digest(sample))

    def _add_tables(self, file: h5py.File) -> None:
        root = Path(os.path.commonpath([path.parent for paths in self.files for path in paths] or [Path.cwd()]))
        names = ["\n".join(path.relative_to(root).as_posix() for path in paths) for paths in self.files]
        tables = {
            "ids": _text(self.dataset.ids()),
            "files": _text(names),
            "places": np.array(self.places, np.int64),
            "digests": np.frombuffer(b"".join(self.digests), np.uint8).reshape(-1, 32),
            "stats": np.stack(self.stats),
            "contents": np.frombuffer(b"".join(self.contents), np.uint8).reshape(-1, 32),
        }
        for name, table in tables.items():
            file.create_dataset(name, data=table, chunks=True, compression="lzf", fletcher32=True)
        header = {
            "schema": SCHEMA,
            "version": VERSION,
            "name": self.dataset.name,
            "root": str(root) if any(self.files) else "",
            "fingerprint": self.dataset.fingerprint(),
        } | ({} if has_ground_truth(self.dataset) else {"ground_truth": False})
        file.attrs["header"] = json.dumps(header)


def _append(file: h5py.File, name: str, values: NDArray[Any]) -> int:
    """Add one sample to an array, which is made if need be; returns its row."""
    if name not in file:
        height, width, *colours = values.shape
        file.create_dataset(
            name,
            shape=(0, *values.shape),
            maxshape=(None, *values.shape),
            dtype=values.dtype,
            chunks=(1, min(TILE, height), min(TILE, width), *colours),
            shuffle=values.dtype.itemsize > 1,
            compression="lzf",
            fletcher32=True,
        )
    array: Any = file[name]
    row = int(array.shape[0])
    array.resize(row + 1, axis=0)
    array[row] = values
    return row


def _codes(sample: Sample, view: Tensor) -> NDArray[np.uint8]:
    """``[H, W, 3]`` 8-bit codes of a view."""
    codes = view.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    if not np.array_equal(to_view(codes).numpy().view(np.uint32), view.contiguous().numpy().view(np.uint32)):
        raise DataError(
            "the views are not 8-bit images",
            where=sample.id,
            remedy="write them with `disparsity data synthesize`, pack that",
        )
    return codes


def _check_unknown(sample: Sample) -> None:
    disparity, valid = sample.disparity.numpy(), sample.valid.numpy()
    if not np.array_equal(valid, disparity > 0) or disparity.view(np.uint32)[~valid].any():
        raise DataError("valid pixels are not those of positive disparity", where=sample.id)


def _text(lines: list[str]) -> NDArray[np.bytes_]:
    return np.array([line.encode(errors="surrogateescape") for line in lines], np.bytes_)
