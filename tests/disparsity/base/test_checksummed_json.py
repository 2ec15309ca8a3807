"""Sealed JSON: what was written or an error, whatever bit is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.checksummed_json import CHECKSUM_KEY, read_checksummed, write_checksummed
from disparsity.base.errors import CorruptArtefactError

CONTENT = {"rows": [{"epe_px": 1.25, "data": "synthetic:?pairs=1"}], "seconds": 3, "maps": {}}


def read(path: Path) -> dict:
    return read_checksummed(path, "a test", "write it again")


def test_round_trip_and_files_from_before_the_seals(tmp_path: Path) -> None:
    write_checksummed(tmp_path / "a.json", CONTENT)
    assert read(tmp_path / "a.json") == CONTENT
    assert set(json.loads((tmp_path / "a.json").read_text())) == {*CONTENT, CHECKSUM_KEY}
    (tmp_path / "b.json").write_text(json.dumps(CONTENT))
    assert read(tmp_path / "b.json") == CONTENT


def test_every_bit_is_guarded(tmp_path: Path, flipped: Callable[[bytes, int], bytes]) -> None:
    path = tmp_path / "a.json"
    write_checksummed(path, CONTENT)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole) * 8):
        path.write_bytes(flipped(whole, place))
        try:
            found = read(path)
        except CorruptArtefactError:
            refused += 1
        else:  # white space became other white space, or the seal's own name was hit
            assert {name: found[name] for name in CONTENT} == CONTENT
    assert refused > 0.85 * len(whole) * 8


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match=r"a\.json: not a test; found .*; write it again"):
        read(tmp_path / "a.json")
