"""CIFAR-10 in its binary version, which holds bytes and nothing that could run.

https://www.cs.toronto.edu/~kriz/cifar.html offers it as cifar-10-binary.tar.gz: per image one byte for the label and
3072 for red, green and blue, 32 rows of 32 each, in files of 10,000 images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from disparsity.base.errors import DataError

SIDE, CHANNELS, CLASSES = 32, 3, 10
RECORD = 1 + CHANNELS * SIDE * SIDE
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)


def load_cifar10(folder: Path) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Training and test images ``[N, 3, 32, 32]`` (uint8, RGB), each with labels ``[N]`` (int64, 0..9).

    Raises:
        DataError: a file is missing, is no whole number of records, is empty, or holds a label that is none.

    """
    if not folder.is_dir():
        raise DataError("no such folder", where=folder, expected=f"a folder with {TRAIN[0]} to {TEST[0]}")
    return _joined(folder, TRAIN), _joined(folder, TEST)


def _joined(folder: Path, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*(read_batch(folder / name) for name in names), strict=True)
    return torch.cat(images), torch.cat(labels)


def read_batch(path: Path) -> tuple[Tensor, Tensor]:
    """The images and labels of one file; see `load_cifar10`."""
    if not path.is_file():
        pickled = path.with_suffix("").is_file()
        remedy = "the Python version, which is pickled, is not read: take the binary one" if pickled else None
        raise DataError("no such file", where=path, expected="the binary version of CIFAR-10", remedy=remedy)
    content = np.fromfile(path, np.uint8)
    if not content.size or content.size % RECORD:
        raise DataError(
            "not a file of CIFAR-10 images",
            where=path,
            found=f"{content.size} bytes",
            expected=f"a multiple of {RECORD}, and not 0",
        )
    records = torch.from_numpy(content).view(-1, RECORD)
    labels = records[:, 0].long()
    if int(labels.max()) >= CLASSES:
        place = int((labels >= CLASSES).nonzero()[0])
        raise DataError(
            "not a class", where=f"{path}, image {place}", found=int(labels[place]), expected=f"0..{CLASSES - 1}"
        )
    return records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE).contiguous(), labels
