"""Reader of packed data: one HDF5 file instead of several per pair, of which a crop reads only the chunks it needs.

Layout, version 1: attribute `header` (JSON); tables `ids`, `places`, `digests`, and of the sources `files`, `stats`,
`contents`; per image size a group `HxW` with `left`, `right` ``[N, H, W, 3]`` uint8 and one array of disparities per
coding. Unknown disparities are 0. Every array is chunked with a checksum per chunk, and HDF5's own structures carry
checksums in this version of its format, so that corruption is detected everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from disparsity.base.errors import CorruptArtefactError, DataError
from disparsity.datasets.packed.disparity_codes import CODINGS, decode
from disparsity.datasets.packed.hdf5_file import DAMAGE, ProcessFile
from disparsity.datasets.packed.sources import check_sources
from disparsity.datasets.readers.folder import to_view
from disparsity.datasets.sample import Sample

SCHEMA, VERSION = "disparsity.packed_data", 1
TABLES = {"places": 5, "digests": 32, "stats": 8, "contents": 32}
"""Columns of the tables of numbers; `places` are height, width, row of the views, coding, row of the disparity."""


@dataclass(frozen=True, kw_only=True)
class PackedSettings:
    """Settings of the reader: which file, and whether its sources must be unchanged.

    Attributes:
        path: the file that `disparsity data pack` wrote.
        sources: `check` refuses the file when a source that is still there has changed; `ignore` does not look.

    """

    path: Path
    sources: Literal["check", "ignore"] = "check"


class PackedDataset:
    """The samples of a packed file; satisfies `WindowedDataset`. Any number of processes may read it at once.

    Raises:
        DataError: the file is missing, or stale.
        CorruptArtefactError: it is no packed data, or damaged; while reading too.

    """

    def __init__(self, settings: PackedSettings) -> None:
        if not settings.path.is_file():
            raise DataError("no such file", where=settings.path, expected="a file of `disparsity data pack`")
        self._file = ProcessFile(settings.path)
        self._header = _header(self._file)
        self.name: str = self._header["name"]
        self._ids = [id.decode(errors="surrogateescape") for id in self._file.whole("ids")]
        self._tables = {name: self._file.whole(name) for name in TABLES}
        self._check_tables()
        if settings.sources == "check":
            files = [text.decode(errors="surrogateescape").split("\n") for text in self._file.whole("files")]
            root = Path(self._header["root"])
            check_sources(settings.path, root, files, self._tables["stats"], self._tables["contents"])

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.window(index, 0, 0, *self.size(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a sample, without reading it."""
        height, width = self._tables["places"][index, :2]
        return int(height), int(width)

    def window(self, index: int, top: int, left: int, height: int, width: int) -> Sample:
        """A window of a sample, which must lie inside it; only the chunks that it touches are read."""
        rows, columns, place, coding, code_place = (int(number) for number in self._tables["places"][index])
        assert 0 <= top <= top + height <= rows, (top, height, rows)
        assert 0 <= left <= left + width <= columns, (left, width, columns)
        group, name = f"{rows}x{columns}", list(CODINGS)[coding]
        area = (slice(top, top + height), slice(left, left + width))
        views = [self._file.read(f"{group}/{side}", (place, *area)) for side in ("left", "right")]
        disparity = decode(name, self._file.read(f"{group}/{name}", (code_place, *area)))
        truth = torch.from_numpy(disparity)
        return Sample(to_view(views[0]), to_view(views[1]), truth, truth > 0, self._ids[index])

    def ids(self) -> list[str]:
        """The ids of all samples, in the order in which they were packed."""
        return list(self._ids)

    def has_ground_truth(self) -> bool:
        """Whether the samples had ground truth when they were packed."""
        return bool(self._header.get("ground_truth", True))

    def fingerprint(self) -> str:
        """A hash of the ids and of every sample's content."""
        content = "\n".join(self._ids).encode(errors="surrogateescape") + self._tables["digests"].tobytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def check(self, index: int) -> None:
        """Compare a sample with the digest taken when it was packed.

        Raises:
            CorruptArtefactError: it is another one.

        """
        if digest(self[index]) != self._tables["digests"][index].tobytes():
            raise CorruptArtefactError(
                "the sample is not what was packed", where=self._file.path, found=self._ids[index]
            )

    def _check_tables(self) -> None:
        sizes = {name: table.shape for name, table in self._tables.items()}
        if sizes != {name: (len(self), columns) for name, columns in TABLES.items()} or not self._ids:
            raise CorruptArtefactError(
                "the tables do not fit together", where=self._file.path, found=f"{len(self)} ids, {sizes}"
            )


def digest(sample: Sample) -> bytes:
    """SHA-256 of a sample's id, tensors and their shapes."""
    result = hashlib.sha256(f"{sample.id} {tuple(sample.left.shape)}".encode(errors="surrogateescape"))
    for tensor in (sample.left, sample.right, sample.disparity, sample.valid):
        result.update(tensor.contiguous().numpy().tobytes())
    return result.digest()


def _header(file: ProcessFile) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(str(file.open().attrs["header"]))
        found = header["schema"], header["version"]
        _ = header["name"], header["root"]
    except (*DAMAGE, AttributeError) as error:
        raise CorruptArtefactError("not packed data, or damaged", where=file.path, found=str(error)[:120]) from error
    if found != (SCHEMA, VERSION):
        raise DataError("another format", where=file.path, found=found, expected=(SCHEMA, VERSION), remedy="pack again")
    return header
