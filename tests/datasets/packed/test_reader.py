"""Packed data: the same bits as the sources, in windows, in forked and spawned processes, and never when damaged."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError, DisparsityError
from disparsity.datasets.batches.crops import crop
from disparsity.datasets.packed.hdf5_file import ProcessFile
from disparsity.datasets.packed.reader import PackedDataset, PackedSettings
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.sample import Sample, WindowedDataset
from disparsity.datasets.uri import open_data

TENSORS = ("left", "right", "disparity", "valid")


def same(first: Sample, second: Sample) -> bool:
    return first.id == second.id and all(torch.equal(getattr(first, n), getattr(second, n)) for n in TENSORS)


@pytest.fixture
def kitti(tmp_path, save) -> Path:
    """Three pairs of two sizes, none a multiple of the chunks."""
    rng = np.random.default_rng(3)
    for frame, (rows, columns) in enumerate([(70, 131), (66, 90), (70, 131)]):
        codes = rng.integers(0, 60 * 256, (rows, columns)).astype(np.uint16) * (rng.random((rows, columns)) < 0.3)
        save(tmp_path / f"kitti/disp_occ_0/00000{frame}_10.png", codes.astype(np.uint16))
        for view in ("image_2", "image_3"):
            save(tmp_path / f"kitti/{view}/00000{frame}_10.png", rng.integers(0, 256, (rows, columns, 3), np.uint8))
    return tmp_path / "kitti"


@pytest.fixture
def packed(tmp_path, kitti) -> Path:
    pack(open_data(f"kitti2015:{kitti}"), tmp_path / "data.h5")
    return tmp_path / "data.h5"


def test_every_bit_comes_back_and_mixed_sizes_stay(kitti, packed):
    source, data = open_data(f"kitti2015:{kitti}"), open_data(f"packed:{packed}")
    assert (data.name, data.ids()) == ("kitti2015", ["000000", "000001", "000002"])
    assert all(same(*pair) for pair in zip(source, data, strict=True))
    assert isinstance(data, WindowedDataset)
    assert [data.size(index) for index in range(3)] == [(70, 131), (66, 90), (70, 131)]
    assert sorted(path.name for path in packed.parent.iterdir()) == ["data.h5", "kitti"]
    with pytest.raises(IndexError):
        data[3]


def test_windows_are_crops(kitti, packed):
    source, data = open_data(f"kitti2015:{kitti}"), open_data(f"packed:{packed}")
    for index, window in ((0, (0, 0, 1, 1)), (1, (3, 5, 63, 85)), (2, (64, 64, 6, 67)), (2, (0, 0, 70, 131))):
        assert same(data.window(index, *window), crop(source[index], *window))


def test_a_split_of_packed_data_reads_windows_too(tmp_path, packed):
    (tmp_path / "split.txt").write_text("2\n1\n")
    chosen = open_data(f"packed:{packed}", tmp_path / "split.txt")
    assert isinstance(chosen, WindowedDataset)
    assert chosen.ids() == ["000002", "000001"]
    assert chosen.size(1) == (66, 90)
    assert same(chosen.window(0, 1, 2, 3, 4), crop(open_data(f"packed:{packed}")[2], 1, 2, 3, 4))


def _sum(data: PackedDataset, results: multiprocessing.Queue[float]) -> None:
    results.put(sum(float(sample.left.double().sum()) for _ in range(5) for sample in data))


def test_processes_open_the_file_for_themselves(packed):
    data = PackedDataset(PackedSettings(path=packed))
    expected = 5 * sum(float(sample.left.double().sum()) for sample in data)  # opened here, before the fork
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=_sum, args=(data, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == [expected] * len(workers)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert 5 * sum(float(sample.left.double().sum()) for sample in data) == expected


def test_changed_sources_are_noticed_by_content(kitti, packed, save):
    path = kitti / "image_3" / "000001_10.png"
    content, status = path.read_bytes(), path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 5_000_000_000))
    open_data(f"packed:{packed}")  # another time, the same content
    path.write_bytes(content[:-1] + b"x")  # the same size
    with pytest.raises(DataError, match=r"data\.h5: the sources have changed .* pack again"):
        open_data(f"packed:{packed}")
    assert len(open_data(f"packed:{packed}?sources=ignore")) == 3
    path.unlink()
    with pytest.raises(DataError, match=r"image_3/000001_10\.png; pack again"):
        open_data(f"packed:{packed}")
    kitti.rename(kitti.with_name("elsewhere"))
    assert len(open_data(f"packed:{packed}")) == 3  # moved without its sources


def read_all(path: Path) -> list[Sample]:
    return list(PackedDataset(PackedSettings(path=path, sources="ignore")))


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path, packed):
    expected, content = read_all(packed), packed.read_bytes()
    broken, rng, refused = tmp_path / "broken.h5", np.random.default_rng(0), 0
    for place in [*range(0, 48), *(int(number) for number in rng.integers(len(content), size=150))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        broken.write_bytes(damaged)
        try:
            found = read_all(broken)
        except DisparsityError as error:
            refused += str(error).startswith(str(broken))
        else:
            assert all(same(*pair) for pair in zip(expected, found, strict=True))
    assert refused > 130


def test_cut_and_foreign_files_are_refused(tmp_path, packed):
    content, broken = packed.read_bytes(), tmp_path / "broken.h5"
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        broken.write_bytes(content[:length])
        with pytest.raises(DisparsityError, match="damaged, or no packed data") as caught:
            read_all(broken)
        assert caught.value.exit_code == 3
    with h5py.File(broken, "w", libver="latest") as file:
        file["x"] = 1
    with pytest.raises(DisparsityError, match="not packed data"):
        read_all(broken)
    with pytest.raises(DataError, match="no such file"):
        open_data(f"packed:{tmp_path / 'none.h5'}")


def test_another_version_is_named(packed):
    with h5py.File(packed, "a") as file:
        file.attrs["header"] = json.dumps({**json.loads(file.attrs["header"]), "version": 9})
    with pytest.raises(DataError, match=r"found \('disparsity\.packed_data', 9\)"):
        read_all(packed)


def test_the_handle_is_not_carried_over(packed):
    file = ProcessFile(packed)
    file.open()
    copy = ProcessFile.__new__(ProcessFile)
    copy.__setstate__(file.__getstate__())
    assert copy.path == packed
    assert copy.open() is not file.open()
    assert copy.open() is copy.open()


@pytest.mark.data
@pytest.mark.parametrize("uri", ["sceneflow:{}/flyingthings3d", "middlebury:{}/middlebury2003"])
def test_real_pairs_come_back(shared, tmp_path, uri):
    source = open_data(uri.format(shared / "data"))
    pack(source, tmp_path / "data.h5")
    data = open_data(f"packed:{tmp_path / 'data.h5'}")
    assert all(same(*pair) for pair in zip(source, data, strict=True))
