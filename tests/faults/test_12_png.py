"""Row 12: PNG files cut, damaged or of another kind: never part of a picture, never nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.images import read_kitti_disparity, read_png16, read_rgb

RNG = np.random.default_rng(0)
COLOUR, DEEP = RNG.integers(0, 256, (9, 7, 3), np.uint8), RNG.integers(0, 65_536, (9, 7), np.uint16)


def encoded(array: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("array", "read"), [(COLOUR, read_rgb), (DEEP, read_png16)])
def test_every_cut_and_every_damaged_bit_is_refused_or_harmless(
    tmp_path: Path, array: np.ndarray, read, flipped: Callable[[bytes, int], bytes]
) -> None:
    path, content = tmp_path / "a.png", encoded(array)
    for length in range(len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"a\.png: "):
            read(path)
    for place in RNG.choice(len(content) * 8, 400, replace=False):
        path.write_bytes(flipped(content, place))
        with pytest.raises(DataError, match=r"a\.png: "):
            read(path)


def test_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(COLOUR))
    with pytest.raises(DataError, match="found PNG, pixels RGB; expected 16-bit gray"):
        read_png16(path)
    path.write_bytes(encoded(DEEP))
    with pytest.raises(DataError, match="found PNG, pixels I;16B"):
        read_rgb(path)
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    path.write_bytes(encoded(frames[0], save_all=True, append_images=frames[1:]))
    with pytest.raises(DataError, match="the PNG is animated"):
        read_rgb(path)
    for image in (Image.fromarray(COLOUR).convert("RGBA"), Image.fromarray(COLOUR[:, :, 0]).convert("P")):
        path.write_bytes(encoded(image))
        assert np.array_equal(read_rgb(path), np.asarray(image.convert("RGB")))


def test_zero_is_unknown_and_the_rest_over_256(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(np.array([[0, 1], [256, 65_535]], np.uint16)))
    assert read_kitti_disparity(tmp_path / "a.png").tolist() == [[0.0, 1 / 256], [1.0, 65_535 / 256]]
