"""Images: equal to Pillow on good files, DataError on everything else."""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, PngImagePlugin

from disparsity.base.errors import BitDepthError, DataError
from disparsity.datasets.decoders.images import (
    read_kitti_disparity,
    read_png8,
    read_png16,
    read_rgb,
    write_kitti_disparity,
    write_rgb,
)

RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (9, 13, 4), dtype=np.uint8)
SHARED_TMP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int = 8, color: int = 0, extra: bytes = b"", rows: bytes | None = None):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    rows = b"\0" * (height * (1 + width)) if rows is None else rows
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_every_kind_of_png_equals_pillow(tmp_path, mode):
    path = tmp_path / "image.png"
    Image.fromarray(RGBA).convert("RGB" if mode in ("P", "1") else mode).convert(mode).save(path)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    image = read_rgb(path)
    assert image.dtype == np.uint8
    assert np.array_equal(image, expected)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".webp", {"lossless": True}),
        (".ppm", {}),
        (".bmp", {}),
        (".tiff", {}),
        (".tiff", {"compression": "tiff_lzw"}),
        (".tif", {"compression": "tiff_deflate"}),
    ],
)
def test_other_lossless_formats_are_exact(tmp_path, suffix, options):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(RGB).save(path, **options)
    assert np.array_equal(read_rgb(path), RGB)
    Image.fromarray(RGB[:, :, 0]).save(path, **options)
    assert np.array_equal(read_rgb(path), np.repeat(RGB[:, :, :1], 3, axis=2))


@pytest.mark.parametrize("array", [RGB[:, :, 0].astype(np.uint16), RGB[:, :, 0].astype(np.float32)])
def test_tiff_with_more_than_8_bits_is_refused(tmp_path, array):
    Image.fromarray(array).save(tmp_path / "deep.tiff")
    with pytest.raises(BitDepthError, match="wrong kind of image; found TIFF, pixels"):
        read_rgb(tmp_path / "deep.tiff")


def test_several_pictures_in_one_file_are_refused(tmp_path):
    frames = [Image.fromarray(RGB), Image.fromarray(RGB[::-1].copy())]
    for suffix in (".png", ".webp", ".tiff"):
        frames[0].save(tmp_path / f"film{suffix}", save_all=True, append_images=frames[1:])
        with pytest.raises(DataError, match="animated or has pages"):
            read_rgb(tmp_path / f"film{suffix}")


def test_bytes_behind_the_end_mark_of_a_png_and_its_texts_change_nothing(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "secret" * 20, zip=True)
    Image.fromarray(RGB).save(tmp_path / "a.png", pnginfo=text, dpi=(72, 72))
    with (tmp_path / "a.png").open("ab") as file:
        file.write(b"rest")
    assert np.array_equal(read_rgb(tmp_path / "a.png"), RGB)


@pytest.mark.parametrize(("suffix", "options"), [(".jpg", {"quality": 95}), (".webp", {"quality": 95})])
def test_lossy_formats_are_close(tmp_path, suffix, options):
    smooth = np.linspace(0, 250, 32 * 48 * 3).reshape(32, 48, 3).astype(np.uint8)
    path = tmp_path / f"image{suffix}"
    Image.fromarray(smooth).save(path, **options)
    assert np.abs(read_rgb(path).astype(int) - smooth).mean() < 4


def test_pgm_reads_as_gray_and_as_raw_values(tmp_path):
    Image.fromarray(RGB[:, :, 0]).save(tmp_path / "gray.pgm")
    assert np.array_equal(read_png8(tmp_path / "gray.pgm"), RGB[:, :, 0])
    assert np.array_equal(read_rgb(tmp_path / "gray.pgm"), np.repeat(RGB[:, :, :1], 3, axis=2))


def test_orientation_marks_do_not_turn_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in (".png", ".jpg", ".tiff"):
        Image.fromarray(RGB).save(tmp_path / f"turned{suffix}", exif=exif)
    for suffix in (".png", ".jpg"):
        assert read_rgb(tmp_path / f"turned{suffix}").shape == RGB.shape
    with pytest.raises(DataError, match="would turn this TIFF"):
        read_rgb(tmp_path / "turned.tiff")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".ppm", ".bmp", ".tiff"])
def test_every_truncation_is_refused(tmp_path, suffix):
    path = tmp_path / f"whole{suffix}"
    Image.fromarray(RGB).save(path)
    content = path.read_bytes()
    for length in range(0, len(content), max(1, len(content) // 64)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_rgb(path)


@settings(SHARED_TMP, max_examples=200)
@given(bit=st.integers(0), deep=st.booleans())
def test_every_flipped_bit_of_a_png_is_refused(tmp_path, bit, deep):
    path = tmp_path / "flipped.png"
    Image.fromarray(RGB[:, :, 0].astype(np.uint16) * 257 if deep else RGB).save(path)
    content = bytearray(path.read_bytes())
    bit %= 8 * len(content)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with pytest.raises(DataError):
        (read_png16 if deep else read_rgb)(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image"),
        (b"plain text", "not an image"),
        (b"\x89PNG\r\n\x1a\n", "not an image"),
        (png(0, 4), "cannot be decoded|not an image|outside the limits"),
        (
            png(4, 4, depth=16, rows=b"\0" * 36),
            "wrong kind of image; found PNG, pixels I;16B; expected gray or RGB",
        ),
        (png(4, 4, extra=chunk(b"ABCD", b"")), "unknown critical chunk"),
        (png(4, 4)[:-4] + b"\0\0\0\0", "end mark is damaged"),
        (png(4, 4, rows=b"\0" * 9), "cannot be decoded"),
        (b"P5\n2 2\n65535\n" + b"\0" * 8, "8-bit binary"),
        (b"P5\n2 2\n255\n" + b"\0" * 3, "found 3 bytes; expected 4"),
        (b"P5\n" + b" " * 2000, "cannot be decoded"),
        (b"\xff\xd8\xff\xd9", "not an image"),
    ],
)
def test_wrong_files_are_refused_with_the_path(tmp_path, content, message):
    path = tmp_path / "wrong.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_rgb(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "content",
    [
        png(60000, 60000, rows=b"\0"),
        b"P6\n60000 60000\n255\n",
        b"\xff\xd8\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03" + b"\0" * 9 + b"\xff\xd9",
        png(8, 8, extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 50_000_000)), rows=b"\0"),
    ],
)
def test_bombs_are_refused_without_allocating(tmp_path, content):
    (tmp_path / "bomb.png").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError):
        read_rgb(tmp_path / "bomb.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_kitti_disparity_is_value_over_256_and_pillow_agrees(tmp_path):
    raw = np.array([[0, 1, 256], [4660, 30000, 65535]], np.uint16)
    Image.fromarray(raw).save(tmp_path / "disparity.png")
    expected = [[0, 1 / 256, 1], [4660 / 256, 30000 / 256, 65535 / 256]]
    assert read_kitti_disparity(tmp_path / "disparity.png").tolist() == expected


def test_8_bit_colour_and_missing_disparity_files_are_refused(tmp_path):
    write_rgb(tmp_path / "rgb.png", RGB)
    (tmp_path / "gray.png").write_bytes(png(4, 4))
    Image.fromarray(RGB).save(tmp_path / "photo.jpg")
    for name, message in (
        ("rgb.png", "PNG, pixels RGB;"),
        ("gray.png", "PNG, pixels L;"),
        ("photo.jpg", "JPEG, pixels RGB"),
    ):
        with pytest.raises(DataError, match=message):
            read_kitti_disparity(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        read_png16(tmp_path / "none.png")
    with pytest.raises(DataError, match="expected 8-bit gray"):
        read_png8(tmp_path / "rgb.png")


def test_written_rgb_reads_back_in_pillow(tmp_path):
    write_rgb(tmp_path / "rgb.png", RGB)
    with Image.open(tmp_path / "rgb.png") as image:
        assert np.array_equal(np.asarray(image), RGB)


@SHARED_TMP
@given(raw=hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)))
def test_kitti_round_trip_is_exact(tmp_path, raw):
    disparity = raw.astype(np.float32) / 256
    write_kitti_disparity(tmp_path / "round.png", disparity, raw > 0)
    assert np.array_equal(read_kitti_disparity(tmp_path / "round.png"), disparity)


def test_kitti_writer_rounds_keeps_tiny_values_known_and_refuses_what_does_not_fit(tmp_path):
    path = tmp_path / "written.png"
    disparity = np.array([[0.0001, 1.5 / 256 + 1e-4, 255.99, 7]], np.float32)
    write_kitti_disparity(path, disparity, np.array([[True, True, True, False]]))
    assert read_png16(path).tolist() == [[1, 2, 65533, 0]]
    for bad in (256.0, -1.0, 0.0, np.nan, np.inf):
        with pytest.raises(DataError, match="do not fit"):
            write_kitti_disparity(Path(tmp_path / "bad.png"), np.array([[bad]], np.float32), np.array([[True]]))
    assert not (tmp_path / "bad.png").exists()
