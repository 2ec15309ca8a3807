"""PFM: hand-built files, a fuzzer, and the invariant that every outcome is an exact array or a DataError."""

from __future__ import annotations

import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm, write_pfm

SHARED_TMP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 6), st.integers(1, 6)), st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3))
)


def pfm(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "map.pfm"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("scale", "order"), [("-1.0", "<"), ("1.0", ">"), ("-0.003922", "<"), ("2e3", ">")])
@pytest.mark.parametrize("header", ["Pf\n2 3\n{}\n", "Pf \n2 3 \n{}\n", "Pf\r\n2 3\r\n{}\r\n", "Pf 2 3 {}\n"])
def test_rows_come_bottom_up_and_the_sign_of_the_scale_gives_the_byte_order(tmp_path, header, scale, order):
    data = struct.pack(f"{order}6f", 5, 6, 3, 4, 1, 2)
    array = read_pfm(pfm(tmp_path, header.format(scale).encode() + data))
    assert array.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert array.dtype == np.float32
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    assert array.flags.writeable


def test_three_channels_stay_together(tmp_path):
    array = read_pfm(pfm(tmp_path, b"PF\n1 2\n-1\n" + struct.pack("<6f", 4, 5, 6, 1, 2, 3)))
    assert array.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]


def test_infinite_and_nan_pixels_are_kept(tmp_path):
    array = read_pfm(pfm(tmp_path, b"Pf\n3 1\n-1\n" + struct.pack("<3f", np.inf, np.nan, -2)))
    assert np.isposinf(array[0, 0])
    assert np.isnan(array[0, 1])
    assert array[0, 2] == -2


def test_pixel_bytes_that_look_like_white_space_belong_to_the_data(tmp_path):
    assert read_pfm(pfm(tmp_path, b"Pf\n1 1\n-1\n\n\n\r ")).view(np.uint32)[0, 0] == 0x200D0A0A


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a PFM"),
        (b"P6\n1 1\n255\n   ", "not a PFM"),
        (b"pf\n1 1\n-1\n0000", "not a PFM"),
        (b"Pf\n1 1\n-1", "not a PFM"),
        (b"Pf\n" + b" " * 300 + b"1 1\n-1\n0000", "not a PFM"),
        (b"Pf\n# comment\n1 1\n-1\n0000", "not a PFM|width or height"),
        (b"Pf\n0 1\n-1\n", "width or height"),
        (b"Pf\n-1 1\n-1\n0000", "width or height"),
        (b"Pf\n1.0 1\n-1\n0000", "width or height"),
        (b"Pf\n1 1e0\n-1\n0000", "width or height"),
        (b"Pf\n2147483648 1\n-1\n0000", "width or height"),
        (b"Pf\n2147483 99999\n-1\n0000", "outside the limits"),
        (b"Pf\n1 1\n0\n0000", "scale"),
        (b"Pf\n1 1\n-0.0\n0000", "scale"),
        (b"Pf\n1 1\nnan\n0000", "scale"),
        (b"Pf\n1 1\n-inf\n0000", "scale"),
        (b"Pf\n1 1\n1e999\n0000", "scale"),
        (b"Pf\n1 1\n1_0\n0000", "scale"),
        (b"Pf\n1 1\n-1\n000", "found 3 bytes; expected 4"),
        (b"Pf\n1 1\n-1\n00000", "found 5 bytes; expected 4"),
        (b"PF\n1 1\n-1\n0000", "found 4 bytes; expected 12"),
    ],
)
def test_wrong_files_are_refused_with_what_was_found(tmp_path, content, message):
    path = pfm(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_pfm(path)
    assert str(caught.value).startswith(str(path))


def test_missing_file_and_folder_are_data_errors(tmp_path):
    for path in (tmp_path / "none.pfm", tmp_path):
        with pytest.raises(DataError, match="no such file"):
            read_pfm(path)


def test_a_huge_claim_allocates_nothing(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError):
        read_pfm(pfm(tmp_path, b"Pf\n8192 8192\n-1\n0000"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@SHARED_TMP
@given(array=SHAPES.flatmap(lambda shape: hnp.arrays(np.float32, shape, elements=st.floats(width=32))))
def test_round_trip_is_bit_exact(tmp_path, array):
    write_pfm(tmp_path / "round.pfm", array)
    assert np.array_equal(read_pfm(tmp_path / "round.pfm").view(np.uint32), array.view(np.uint32))


@settings(SHARED_TMP, max_examples=300)
@given(data=st.data())
def test_any_damage_gives_an_exact_array_or_a_data_error(tmp_path, data):
    content = bytearray(b"Pf\n3 2\n-1.0\n" + struct.pack("<6f", *range(6)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        kind = data.draw(st.sampled_from(["replace", "insert", "cut"]))
        piece = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b" ", b"0", b"9" * 9, b"-", b"PF"])))
        content[at : at + {"replace": len(piece), "insert": 0, "cut": 8}[kind]] = b"" if kind == "cut" else piece
    try:
        array = read_pfm(pfm(tmp_path, bytes(content)))
    except DataError:
        return
    _, width, height, scale = bytes(content).split(maxsplit=4)[:4]
    channels = 3 if content.startswith(b"PF") else 1
    count = int(width) * int(height) * channels
    assert array.size == count
    pixels = bytes(content)[len(content) - 4 * count :]
    expected = struct.unpack(("<" if float(scale) < 0 else ">") + f"{count}f", pixels)
    rows = np.array(expected, np.float32).reshape(int(height), -1)[::-1]
    assert np.array_equal(array.reshape(int(height), -1), rows, equal_nan=True)
