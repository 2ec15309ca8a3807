"""The chunk walk keeps pixels and drops everything else."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, PngImagePlugin

from disparsity.datasets.decoders.png_chunks import GRAY, RGB, essential_bytes, read_header


def encoded(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_header_fields(tmp_path):
    header = read_header(tmp_path, encoded(np.zeros((3, 5, 3), np.uint8)))
    assert (header.width, header.height, header.depth, header.color) == (5, 3, 8, RGB)
    header = read_header(tmp_path, encoded(np.zeros((3, 5), np.uint16)))
    assert (header.depth, header.color) == (16, GRAY)


def test_metadata_is_dropped_and_pixels_stay(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "secret" * 20, zip=True)
    content = encoded(pixels, pnginfo=text, dpi=(72, 72))
    kept = essential_bytes(tmp_path, content)
    assert b"zTXt" in content
    assert b"zTXt" not in kept
    assert b"pHYs" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_bytes_after_the_end_mark_are_ignored(tmp_path):
    content = encoded(np.zeros((3, 5), np.uint8))
    assert essential_bytes(tmp_path, content + b"rest") == essential_bytes(tmp_path, content)
