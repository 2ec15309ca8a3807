"""Packing: what it says, what it refuses, and that nothing is left behind."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError
from disparsity.datasets.packed import writer
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.sample import Sample
from disparsity.datasets.uri import open_data

CODES = torch.arange(256).repeat(3, 2, 1)


class Made:
    """Generated samples; no files."""

    name = "made"

    def __init__(self, *samples: Sample) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]

    def __iter__(self):
        return iter(self._samples)

    def ids(self) -> list[str]:
        return [sample.id for sample in self._samples]

    def fingerprint(self) -> str:
        return "0" * 16


def sample(disparity: float = 3.0) -> Sample:
    truth = torch.full((2, 256), disparity)
    truth[0, :9] = 0
    view = CODES.float() / 255
    return Sample(view, view.flip(-1), truth, truth > 0, f"größe/{disparity}")


def test_all_256_codes_and_every_coding_come_back(tmp_path):
    data = Made(sample(3.0), sample(100 + 1 / 256), sample(1 / 3), sample(300.1), sample(1e6))
    summary = pack(data, tmp_path / "x.h5")
    assert summary["codings"] == {"float16": 1, "uint16": 1, "float32": 3}
    assert summary["sizes"] == {"2x256": 5}
    assert summary["bytes"] == (tmp_path / "x.h5").stat().st_size
    for first, second in zip(data, open_data(f"packed:{tmp_path / 'x.h5'}"), strict=True):
        assert first.id == second.id
        assert torch.equal(first.left, second.left)
        assert torch.equal(first.disparity, second.disparity)
    with h5py.File(tmp_path / "x.h5") as file:
        assert {str(file[f"2x256/{name}"].dtype) for name in ("float16", "uint16", "float32")} == {
            "float16",
            "uint16",
            "float32",
        }
        assert all(file[f"2x256/{name}"].fletcher32 for name in ("left", "right", "uint16"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"left": CODES.float() / 255 + 1e-4}, "not 8-bit images; write them with"),
        ({"right": CODES.float() / 100}, "not 8-bit images"),
        ({"valid": torch.ones(2, 256, dtype=torch.bool)}, "valid pixels"),
    ],
)
def test_what_would_not_come_back_is_refused_and_leaves_nothing(tmp_path, changed, message):
    with pytest.raises(DataError, match=message):
        pack(Made(sample(), replace(sample(2.0), **changed)), tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_read_back_is_not_put_in_place(tmp_path, monkeypatch):
    (tmp_path / "x.h5").write_bytes(b"before")
    monkeypatch.setattr(writer, "encode", lambda disparity: ("float16", np.zeros_like(disparity, np.float16)))
    with pytest.raises(Exception, match="not what was packed"):
        pack(Made(sample()), tmp_path / "x.h5")
    assert (tmp_path / "x.h5").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1
