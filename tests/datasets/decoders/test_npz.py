"""NumPy archives: one float map or a DataError."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disparsity.base.errors import DataError
from disparsity.datasets.decoders import npz
from disparsity.datasets.decoders.npz import read_npz

MAP = np.array([[1.5, np.inf, 3.0]])


def test_one_map_is_read_as_float32(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", MAP)
    array = read_npz(tmp_path / "a.npz")
    assert array.dtype == np.float32
    assert np.array_equal(array, MAP)


@pytest.mark.parametrize(
    "arrays", [{"a": MAP, "b": MAP}, {"a": MAP[0]}, {"a": MAP.astype(object)}, {"a": np.ones((2, 2), int)}, {}]
)
def test_other_content_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError):
        read_npz(tmp_path / "a.npz")


def test_damage_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, np.random.default_rng(0).random((20, 20)))
    content = path.read_bytes()
    for length in range(0, len(content), 37):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("text.txt", "no array")
    with pytest.raises(DataError):
        read_npz(path)
    with pytest.raises(DataError):
        read_npz(tmp_path / "none.npz")


def test_a_member_that_claims_too_much_is_refused_unread(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", np.zeros((100, 100)))
    monkeypatch.setattr(npz, "MAX_PIXELS", 100)
    with pytest.raises(DataError, match="wrong content of the archive"):
        read_npz(tmp_path / "a.npz")


def test_header_that_claims_too_much_is_refused(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (8192, 8192)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", stream.getvalue() + b"0000")
    with pytest.raises(DataError, match="found 4 bytes; expected 268435456"):
        read_npz(tmp_path / "a.npz")


def test_column_order_and_big_endian(tmp_path):
    array = np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3))
    np.savez(tmp_path / "a.npz", array)
    assert read_npz(tmp_path / "a.npz").tolist() == [[0, 1, 2], [3, 4, 5]]


@settings(max_examples=150, deadline=None)
@given(bit=st.integers(0))
def test_flipped_bits_are_refused_or_harmless(tmp_path_factory, bit):
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.savez_compressed(path, expected)
    content = bytearray(path.read_bytes())
    bit %= 8 * len(content)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    try:
        array = read_npz(path)
    except DataError:
        return
    assert np.array_equal(array, expected)


def test_a_signalling_nan_is_read_without_a_warning(tmp_path):
    array = np.array([[0x7FF0000000000001, 0x3FF8000000000000]], np.uint64).view(np.float64)
    np.savez(tmp_path / "a.npz", array)
    found = read_npz(tmp_path / "a.npz")
    assert np.isnan(found[0, 0])
    assert found[0, 1] == 1.5


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused_unread(tmp_path, method):
    content = io.BytesIO()
    np.save(content, MAP)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("a.npy", content.getvalue())
    with pytest.raises(DataError, match=r"a\.npz: wrong compression of the archive; expected stored or deflated"):
        read_npz(tmp_path / "a.npz")
