"""The loader of CIFAR-10's binary version, against files made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from classification.cifar10 import TEST, TRAIN, load_cifar10, read_batch

from disparsity.base.errors import DataError


def record(label: int, red: int, green: int, blue: int) -> bytes:
    return bytes([label]) + bytes([red]) * 1024 + bytes([green]) * 1024 + bytes([blue]) * 1024


def write_set(folder: Path) -> None:
    for number, name in enumerate((*TRAIN, *TEST)):
        (folder / name).write_bytes(record(number, 10 * number, 1, 2) + record(9, 3, 4, 255))


def test_planes_are_red_green_and_blue(tmp_path: Path) -> None:
    (tmp_path / "one.bin").write_bytes(record(7, 1, 2, 255) + record(0, 9, 8, 7))
    images, labels = read_batch(tmp_path / "one.bin")
    assert images.shape == (2, 3, 32, 32)
    assert images.dtype == torch.uint8
    assert labels.tolist() == [7, 0]
    assert images[:, :, 31, 31].tolist() == [[1, 2, 255], [9, 8, 7]]


def test_rows_come_one_after_the_other(tmp_path: Path) -> None:
    planes = np.arange(3072, dtype=np.uint32).astype(np.uint8)
    (tmp_path / "one.bin").write_bytes(bytes([3]) + planes.tobytes())
    image = read_batch(tmp_path / "one.bin")[0][0]
    assert int(image[0, 1, 2]) == 34
    assert int(image[2, 5, 7]) == (2 * 1024 + 5 * 32 + 7) % 256


def test_the_set_is_five_files_and_one(tmp_path: Path) -> None:
    write_set(tmp_path)
    (images, labels), (test_images, test_labels) = load_cifar10(tmp_path)
    assert labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert images[::2, 0, 0, 0].tolist() == [0, 10, 20, 30, 40]
    assert test_labels.tolist() == [5, 9]
    assert test_images[0, 0].unique().tolist() == [50]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (bytes(3072), "3072 bytes"), (record(3, 0, 0, 0) + record(10, 0, 0, 0), "image 1")],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    write_set(tmp_path)
    (tmp_path / TRAIN[2]).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        load_cifar10(tmp_path)
    assert TRAIN[2] in str(caught.value)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / TEST[0]).unlink()
    with pytest.raises(DataError, match=TEST[0]):
        load_cifar10(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        load_cifar10(tmp_path / "nowhere")


def test_the_python_version_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"never opened")
    with pytest.raises(DataError, match="take the binary one"):
        load_cifar10(tmp_path)
