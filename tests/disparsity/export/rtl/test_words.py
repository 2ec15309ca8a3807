from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.export.rtl.selfcheck import read_words, unpack_words
from disparsity.export.rtl.words import hex_lines, packed_bits


@st.composite
def words(draw: st.DrawFn) -> tuple[list[int], int]:
    bits = draw(st.integers(1, 32))
    return draw(st.lists(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), max_size=20)), bits


def test_hex_lines_by_hand() -> None:
    assert hex_lines(np.array([[1, -1], [-8, 7]]), 4) == b"1\nf\n8\n7\n"
    assert hex_lines(np.array([5, -1]), 6) == b"05\n3f\n"
    assert hex_lines(np.array([-(2**31), 2**31 - 1]), 32) == b"80000000\n7fffffff\n"
    assert hex_lines(np.array([255, 0]), 8) == b"ff\n00\n"


def test_packed_bits_by_hand() -> None:
    """Codes 1, -1, 2 of 3 bits are 001, 111, 010; from the lowest bit on 100 111 010, so bytes 0b10111001 and 0."""
    assert packed_bits(np.array([1, -1, 2]), 3) == bytes([0b10111001, 0])
    assert packed_bits(np.array([0x12, 0x34]), 8) == bytes([0x12, 0x34])
    assert packed_bits(np.array([0x1234]), 16) == bytes([0x34, 0x12])


@given(words())
def test_hex_is_pythons_own_format(case: tuple[list[int], int]) -> None:
    values, bits = case
    expected = "".join(f"{value % 2**bits:0{-(-bits // 4)}x}\n" for value in values)
    assert hex_lines(np.array(values, np.int64), bits).decode() == expected


@given(words())
def test_packed_bits_are_one_large_integer(case: tuple[list[int], int]) -> None:
    values, bits = case
    whole = sum((value % 2**bits) << (index * bits) for index, value in enumerate(values))
    content = packed_bits(np.array(values, np.int64), bits)
    assert content == whole.to_bytes(-(-len(values) * bits // 8), "little")
    assert unpack_words(content, bits, len(values)).tolist() == values


def test_there_and_back_through_a_file(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-32, 32, 50)
    (tmp_path / "words.hex").write_bytes(hex_lines(values, 6))
    assert read_words(tmp_path / "words.hex", 6, signed=True).tolist() == values.tolist()
    assert read_words(tmp_path / "words.hex", 6, signed=False).tolist() == (values % 64).tolist()


def test_words_that_do_not_fit_are_our_own_mistake() -> None:
    for value in (16, -9):
        with pytest.raises(AssertionError, match="does not fit"):
            hex_lines(np.array([value]), 4)
