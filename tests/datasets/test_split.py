"""Split files: what they name, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from disparsity.base.errors import DataError
from disparsity.datasets.sample import Sample
from disparsity.datasets.split import exclude, read_split, select


class Numbered:
    """Ten frames whose left view holds their number."""

    name = "numbered"

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Sample:
        view = torch.full((3, 2, 2), float(index))
        return Sample(view, view, view[0], view[0] > 0, self._ids[index])

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def ids(self) -> list[str]:
        return self._ids

    def fingerprint(self) -> str:
        return "0"


FRAMES = Numbered([f"{number:06d}" for number in range(20)])
SCENES = Numbered(["TEST/A/0000/0006", "TRAIN/A/0000/0006"])


def split(tmp_path, content: str | bytes):
    path = tmp_path / "split.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_comments_blank_lines_and_windows_line_ends_are_skipped(tmp_path):
    assert read_split(split(tmp_path, "\ufeff# head\r\n\r\n 13 \r\n000002\n  # tail")) == ["13", "000002"]


def test_numbers_and_ids_select_in_the_order_of_the_file(tmp_path):
    data = select(FRAMES, split(tmp_path, "13\n000002\n7"))
    assert data.ids() == ["000013", "000002", "000007"]
    assert [sample.left[0, 0, 0].item() for sample in data] == [13, 2, 7]
    assert data[1].id == "000002"
    assert (len(data), data.name) == (3, "numbered")


def test_ids_with_folders(tmp_path):
    assert select(SCENES, split(tmp_path, "TRAIN/A/0000/0006")).ids() == ["TRAIN/A/0000/0006"]


def test_the_fingerprint_depends_on_the_selection(tmp_path):
    prints = {select(FRAMES, split(tmp_path, text)).fingerprint() for text in ("1\n2", "2\n1", "1", "000001")}
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "names no sample"),
        ("# only a comment\n", "names no sample"),
        (b"\xff\xfe1\n", "not UTF-8"),
        ("3\n3\n", "named twice"),
        ("3\n000003\n", "two lines name the same sample"),
        ("../secret", "not an id"),
        ("a/../../b", "not an id"),
        ("/etc/passwd", "not an id"),
        ("..\\secret", "not an id"),
        ("a\0b", "not an id"),
        ("21", "1 of 1 ids are not in numbered; found '21'; expected ids such as 000000"),
        ("1\n" + "\n".join(f"x{n}" for n in range(7)), "7 of 8 ids .* found 'x0', 'x1', 'x2', 'x3', 'x4', ..."),
        ("9" * 5000, "1 of 1 ids"),
    ],
)
def test_wrong_files_are_refused(tmp_path, content, message):
    path = split(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        select(FRAMES, path)
    assert str(caught.value).startswith(str(path))


class Filed(Numbered):
    """Frames decoded from files whose paths start somewhere."""

    def files(self, index: int) -> tuple[Path, ...]:
        id = self._ids[index]
        return tuple(
            Path(f"/data/things/{name}") for name in (f"clean/{id}/l.png", f"clean/{id}/r.png", f"gt/{id}.pfm")
        )


FILED = Filed(["A/0", "A/1", "B/0"])


@pytest.mark.parametrize(
    "line",
    [
        "clean/A/1/l.png clean/A/1/r.png gt/A/1.pfm",
        "clean/A/1/l.png clean/A/1/r.png",
        "things/clean/A/1/l.png\tthings/clean/A/1/r.png\tgt/A/1.pfm",
        "clean/A/1/l.png",
        "A/1/r.png",
        "A/1",
    ],
)
def test_lines_of_paths_name_the_sample_that_is_read_from_them(tmp_path, line):
    assert select(FILED, split(tmp_path, f"{line}\n")).ids() == ["A/1"]
    assert exclude(FILED, split(tmp_path, f"{line}\nclean/Z/9/l.png\n")).ids() == ["A/0", "B/0"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "final/A/1/l.png final/A/1/r.png",
            "1 of 1 ids .*, or paths such as /data/things/clean/A/0/l",
        ),
        ("clean/A/1/l.png clean/A/0/r.png", "the list names another file; found 'clean/A/0/r.png'"),
        ("clean/A/1/l.png clean/A/1/r.png noc/A/1.pfm", "gt/A/1.pfm: the list names another file; found 'noc/A/1.pfm'"),
        ("clean/A/1/r.png clean/A/1/l.png", "1 of 1 ids"),
        ("0/l.png", "1 of 1 ids"),
    ],
)
def test_lists_of_other_files_are_refused(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        select(FILED, split(tmp_path, line))


def test_excluding_everything_or_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="all samples of numbered are excluded"):
        exclude(FILED, split(tmp_path, "A/0\nA/1\nB/0"))
    with pytest.raises(DataError, match="no line names a sample of numbered"):
        exclude(FILED, split(tmp_path, "TEST/A/0005/left/0006.png"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_split(tmp_path / "none.txt")


@pytest.mark.data
def test_the_lists_published_with_anynet_are_read(shared):
    frames = Numbered([f"{number:06d}" for number in range(200)])
    kitti2015 = select(frames, shared / "weights" / "anynet" / "kitti2015_split.txt").ids()
    assert {13, 32, 36, 37, 38, 159} <= {int(id) for id in kitti2015}
    assert len(select(frames, shared / "weights" / "anynet" / "kitti2012_split.txt")) == 34
