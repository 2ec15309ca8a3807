"""Sizes from headers equal what Pillow says."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.image_size import jpeg_size, netpbm_size, webp_size


def encoded(kind: str, width: int, height: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


CASES = [
    (jpeg_size, "JPEG", {}),
    (jpeg_size, "JPEG", {"progressive": True}),
    (webp_size, "WEBP", {}),
    (webp_size, "WEBP", {"lossless": True}),
    (webp_size, "WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
    (netpbm_size, "PPM", {}),
]


@pytest.mark.parametrize(("size_of", "kind", "options"), CASES)
@settings(max_examples=8, deadline=None)
@given(width=st.integers(1, 400), height=st.integers(1, 400))
def test_size(tmp_path_factory, size_of, kind, options, width, height):
    assert size_of(tmp_path_factory.getbasetemp(), encoded(kind, width, height, **options)) == (width, height)


def test_netpbm_comments_are_skipped(tmp_path):
    assert netpbm_size(tmp_path, b"P5 # made by hand\n2# two\n 3\n255\n" + b"\0" * 6) == (2, 3)


def test_animated_webp_is_refused(tmp_path):
    buffer = io.BytesIO()
    frames = [Image.fromarray(np.full((4, 4, 3), value, np.uint8)) for value in (0, 200)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="animated"):
        webp_size(tmp_path, buffer.getvalue())


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=60))
def test_any_bytes_give_a_size_or_a_data_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp()
    for size_of, magic in ((jpeg_size, b"\xff\xd8\xff"), (webp_size, b"RIFF"), (netpbm_size, b"P5")):
        for end in (b"", b"\xff\xd9"):
            try:
                width, height = size_of(path, magic + content + end)
            except DataError:
                continue
            assert width >= 0
            assert height >= 0
