"""Data URIs: what they open and what they say when they are wrong."""

from __future__ import annotations

import pytest

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.datasets.uri import list_data, open_data


@pytest.fixture
def kitti(tmp_path, save, scene):
    for truth, numbers in (("disp_occ_0", (1, 2)), ("disp_noc_0", (2,))):
        for number in numbers:
            codes = (scene["disparity"] * 256).astype("uint16")
            save(tmp_path / "training" / truth / f"{number:06d}_10.png", codes)
            save(tmp_path / "training" / "image_2" / f"{number:06d}_10.png", scene["left"])
            save(tmp_path / "training" / "image_3" / f"{number:06d}_10.png", scene["right"])
    return tmp_path


def test_options_reach_the_reader(kitti):
    assert open_data(f"kitti2015:{kitti}").ids() == ["000001", "000002"]
    assert open_data(f"kitti2015:{kitti}?").ids() == ["000001", "000002"]
    assert open_data(f"kitti2015:{kitti}?ground_truth=noc").ids() == ["000002"]


def test_a_split_selects(kitti, tmp_path):
    (tmp_path / "split.txt").write_text("2\n")
    assert open_data(f"kitti2015:{kitti}", tmp_path / "split.txt").ids() == ["000002"]


def test_a_split_in_the_uri_selects_beside_other_options(kitti, tmp_path):
    (tmp_path / "two.txt").write_text("2\n")
    for query in ("split={}", "ground_truth=occ&split={}", "split={}&ground_truth=occ"):
        assert open_data(f"kitti2015:{kitti}?{query.format(tmp_path / 'two.txt')}").ids() == ["000002"]
    (tmp_path / "scene.txt").write_text("synthetic/0/000002\n")
    assert open_data(f"synthetic:?pairs=5&split={tmp_path / 'scene.txt'}").ids() == ["synthetic/0/000002"]


def test_excluded_samples_are_left_out_before_a_split_selects(kitti, tmp_path):
    (tmp_path / "unused.txt").write_text("training/image_3/000001_10.png\ntraining/image_2/000077_10.png\n")
    uri = f"kitti2015:{kitti}?exclude={tmp_path / 'unused.txt'}"
    assert open_data(uri).ids() == ["000002"]
    assert [pair.id for pair in list_data(uri).pairs] == ["000002"]
    (tmp_path / "one.txt").write_text("1\n")
    with pytest.raises(DataError, match="1 of 1 ids are not in kitti2015"):
        open_data(f"{uri}&split={tmp_path / 'one.txt'}")
    (tmp_path / "unused.txt").write_text("testing/image_2/000001_10.png\n")
    with pytest.raises(DataError, match="no line names a sample of kitti2015"):
        open_data(uri)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("split=", "the path is missing"),
        ("split=a\0b", "the path is missing"),
        ("split=a.txt&split=b.txt", "'split' is given twice"),
        ("splot=a.txt", "did you mean 'split'"),
    ],
)
def test_wrong_splits_in_the_uri(kitti, query, message):
    with pytest.raises(InputError, match=message):
        open_data(f"kitti2015:{kitti}?{query}")


def test_two_splits_and_a_missing_file(kitti, tmp_path):
    uri = f"kitti2015:{kitti}?split={tmp_path / 'gone.txt'}"
    with pytest.raises(DataError, match=r"gone\.txt"):
        open_data(uri)
    with pytest.raises(InputError, match="two splits of one data set"):
        open_data(uri, tmp_path / "other.txt")


def test_relative_paths_and_colons_in_paths(kitti, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert len(open_data(f"kitti2015:{tmp_path.name}")) == 2
    kitti.rename(tmp_path.parent / "a:b")
    assert len(open_data("kitti2015:a:b?ground_truth=occ")) == 2
    (tmp_path.parent / "a:b").rename(kitti)


def test_synthetic_settings():
    given = {"pairs": 3, "height": 32, "width": 64, "seed": 5, "max_disparity": 12.5}
    data = open_data("synthetic:?pairs=3&size=32x64&seed=5&max_disparity=12.5")
    assert data.fingerprint() == SyntheticDataset(SyntheticSettings(**given)).fingerprint()
    assert open_data("synthetic:").fingerprint() == SyntheticDataset(SyntheticSettings()).fingerprint()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("somewhere", "not a data URI; expected name:PATH"),
        ("", "not a data URI"),
        ("kiti2015:x", "unknown kind of data 'kiti2015'; did you mean 'kitti2015'?"),
        ("packed:x.h5", "x.h5: no such file"),
        ("C:/data", "unknown kind of data 'C'; known: eth3d, folder, kitti2012"),
        ("kitti2015:", "the path is missing; expected kitti2015:DIR"),
        ("kitti2015:{}?groundtruth=occ", "unknown option 'groundtruth'; did you mean 'ground_truth'?"),
        ("kitti2015:{}?subset=test", "unknown option 'subset'; known: exclude, ground_truth, split"),
        ("kitti2015:{}?ground_truth", "unknown value of ground_truth; found ''; expected occ or noc or none"),
        ("sceneflow:{}?pass=cleen", "found 'cleen'; expected clean or final; did you mean 'clean'?"),
        ("kitti2015:{}?ground_truth=occ&ground_truth=noc", "given twice"),
        ("middlebury:{}?resolution=h", "expected F or H or Q"),
        ("synthetic:here", "has no path; found here"),
        ("synthetic:?size=96", "wrong value of size; found '96'; expected HxW"),
        ("synthetic:?size=96x", "expected HxW"),
        ("synthetic:?size=1e2x9", "expected HxW"),
        ("synthetic:?pairs=-3", "wrong value of pairs; found '-3'; expected a whole number"),
        ("synthetic:?pairs=\u0663", "expected a whole number"),
        ("synthetic:?max_disparity=inf", "expected a finite number of pixels"),
        ("synthetic:?pairs=0", "impossible synthetic scenes"),
    ],
)
def test_wrong_uris_are_input_errors_that_help(tmp_path, uri, message):
    with pytest.raises(InputError) as caught:
        open_data(uri.replace("{}", str(tmp_path)))
    assert message in str(caught.value)


def test_a_missing_folder_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="none: no such folder"):
        open_data(f"sceneflow:{tmp_path / 'none'}")


@pytest.mark.data
def test_the_uri_of_the_accuracy_check(shared):
    data = open_data(f"sceneflow:{shared / 'data' / 'flyingthings3d'}?subset=test&pass=clean")
    assert data.ids() == ["TEST/A/0000/0006"]
