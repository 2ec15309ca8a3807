"""Padding of a user's images to the size of an exported file, and cropping of its disparity map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.evaluation.sessions.metadata import INPUTS, FileMetadata


def fit_views(metadata: FileMetadata, left: Tensor, right: Tensor, where: Path) -> dict[str, NDArray[np.float32]]:
    """The inputs ``[1, 3, H, W]`` of a file by name, from views ``[3, H, W]``, filled at the top and on the right.

    Raises:
        InputError: the padded pair does not have the size that the file was made for.

    """
    height, width = left.shape[-2:]
    size = tuple(length + -length % metadata.divisor for length in (height, width))
    if size != metadata.input_size:
        expected = "x".join(map(str, metadata.input_size))
        raise InputError(
            "the file was made for another image size",
            where=where,
            found=f"{height}x{width}, padded {size[0]}x{size[1]}",
            expected=f"{expected} after padding",
            remedy=f"export again with --size {height}x{width}",
        )
    return {name: _padded(metadata, view) for name, view in zip(INPUTS, (left, right), strict=True)}


def fit_map(disparity: NDArray[np.float32], view: Tensor) -> NDArray[np.float32]:
    """The part ``[h, w]`` of a map ``[1, H, W]`` that belongs to the image, without what was filled."""
    height, width = view.shape[-2:]
    return disparity[0, disparity.shape[1] - height :, :width]


def _padded(metadata: FileMetadata, view: Tensor) -> NDArray[np.float32]:
    height, width = metadata.input_size
    size = (0, width - view.shape[-1], height - view.shape[-2], 0)
    return torch.stack([F.pad(c, size, value=v) for c, v in zip(view, metadata.fill, strict=True)])[None].numpy()
