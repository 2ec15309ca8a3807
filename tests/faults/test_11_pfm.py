"""Row 11: PFM files: exactly what they hold, or an error that names them; every line of the reader is reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from campaign.fuzzing import one
from campaign.lines import coverage
from campaign.targets import TARGETS

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm

PIXELS = np.array([[1.5, np.inf], [np.nan, -2.0], [0.0, 7.25]], np.float32)


@pytest.mark.parametrize("kind", ["<f4", ">f4"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_both_byte_orders_and_line_ends_bottom_row_first(tmp_path: Path, kind: str, end: bytes) -> None:
    scale = b"-1.0" if kind == "<f4" else b"0.003922"
    rows = b"".join(row.astype(kind).tobytes() for row in PIXELS[::-1])
    (tmp_path / "a.pfm").write_bytes(end.join([b"Pf", b"2 3", scale, b""]) + rows)
    assert np.array_equal(read_pfm(tmp_path / "a.pfm"), PIXELS, equal_nan=True)


@pytest.mark.parametrize(
    "header",
    [b"P5\n2 3\n-1\n", b"Pf\n# 2 3\n2 3\n-1\n", b"Pf\n0 3\n-1\n", b"Pf\n-2 3\n-1\n", b"Pf\n2.0 3\n-1\n",
     b"Pf\n2 3\n0\n", b"Pf\n2 3\nnan\n", b"Pf\n2 3\ninf\n", b"Pf\n2147483648 3\n-1\n", b"Pf\n2 4\n-1\n",
     b"PF\n2 3\n-1\n", b"Pf\n2 2\n-1\n"],
)  # fmt: skip
def test_other_headers_are_refused(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "a.pfm").write_bytes(header + PIXELS.tobytes())
    with pytest.raises(DataError, match=r"a\.pfm: "):
        read_pfm(tmp_path / "a.pfm")


def test_damage_ends_in_an_array_or_in_our_error_and_reaches_every_line(tmp_path: Path) -> None:
    seeds = TARGETS["pfm"].seeds(tmp_path)
    accepted = [one(TARGETS["pfm"], seeds, f"row 11 {number}", tmp_path / "input") for number in range(600)]
    assert 50 < sum(accepted) < 550
    found = coverage("pfm", 400, tmp_path)["datasets/decoders/pfm.py"]
    lines = Path(read_pfm.__code__.co_filename).read_text().splitlines()
    writer = range(*(next(n for n, line in enumerate(lines, 1) if line.startswith(f"def {name}")) for name in
                     ("write_pfm", "_parse_size")))  # fmt: skip
    assert set(found["missing"]) <= set(writer)
