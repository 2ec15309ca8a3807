"""The packed file: deterministic, little more than its content, and refused where it is damaged."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.hwcost.codec.packed_file import read_packed, write_content
from disparsity.hwcost.codec.packed_network import PackedNetwork
from disparsity.hwcost.codec.packing import pack

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 0.999])
def test_a_truncated_file_is_refused(example, tmp_path, share: float) -> None:
    path = tmp_path / "cut.h5"
    size = write_content(path, pack(example()))
    path.write_bytes(path.read_bytes()[: int(size * share)])
    with pytest.raises(CorruptArtefactError, match=r"cut\.h5"):
        read_packed(path)


def test_other_files_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_packed(tmp_path / "absent.h5")
    with h5py.File(tmp_path / "other.h5", "w", libver="latest") as file:
        file["weights"] = np.zeros(3)
    with pytest.raises(CorruptArtefactError, match="not a packed network"):
        read_packed(tmp_path / "other.h5")


def test_a_file_that_cannot_be_written_leaves_the_old_one(example, tmp_path) -> None:
    path = tmp_path / "a.h5"
    write_content(path, pack(example()))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_content(path, pack(PackedNetwork(layers=(), tensors={"a": np.array(["text"])})))
    assert path.read_bytes() == before


def test_a_file_round_trip_is_deterministic_and_adds_little(example, same, tmp_path) -> None:
    size = write_content(tmp_path / "a.h5", pack(example()))
    write_content(tmp_path / "b.h5", pack(example()))
    content = (tmp_path / "a.h5").read_bytes()
    assert content == (tmp_path / "b.h5").read_bytes()
    assert size == len(content) < len(pack(example())) + 500
    assert same(example(), read_packed(tmp_path / "a.h5"))
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file) == ["packed"]
