from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from disparsity.base.errors import InputError
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj, memory_energy_pj
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.registries import summaries


@pytest.mark.parametrize("name", summaries("profiles"))
def test_every_table_of_every_profile_names_its_source(name: str) -> None:
    profile = load_profile(name)
    text = resources.files("disparsity.hwcost").joinpath("profiles", f"{name}.toml").read_text("utf-8")
    tables = {key for key, value in tomllib.loads(text).items() if isinstance(value, dict)}
    assert profile.name == name
    assert set(profile.sources) == tables
    assert all(profile.sources.values())


def test_published_points() -> None:
    aladdin, eyeriss = load_profile("aladdin40"), load_profile("eyeriss65")
    assert aladdin.integer_multiply.at(16).energy_pj == pytest.approx(12.68)  # 32 x 32 bit
    assert aladdin.integer_multiply.at(16).area_um2 == pytest.approx(6350)
    assert aladdin.integer_add.at(4).energy_pj == pytest.approx(0.21)
    assert eyeriss.integer_multiply.at(4).energy_pj == pytest.approx(1)  # 16 x 16 bit: the unit
    assert eyeriss.dram_pj_per_bit * 16 == 200
    assert eyeriss.sram.at(8192) * 16 == eyeriss.sram.at(1 << 20) * 16 == 6
    horowitz = load_profile("horowitz45").sram
    assert [64 * horowitz.at(size * 1024) for size in (8, 32)] == [10, 20]
    assert 64 * horowitz.at(1 << 20) == pytest.approx(100, rel=0.15)  # published; the power law gives 113
    assert aladdin.sram is None


def test_what_a_profile_does_not_know_is_none(anchors) -> None:
    call = anchors["L1"]
    assert mac_area_um2([call], load_profile("eyeriss65")) is None
    assert memory_energy_pj([call], 10, load_profile("aladdin40")) is None
    assert mac_energy_pj([call], load_profile("aladdin40")) > 0


def test_a_profile_of_the_users_own(tmp_path) -> None:
    text = resources.files("disparsity.hwcost").joinpath("profiles", "horowitz45.toml").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('name = "horowitz45"', 'name = "mine"').replace("energy_pj = 3.7", "energy_pj = 2"))
    profile = load_profile(str(path))
    assert (profile.name, profile.float_multiply.energy_pj) == ("mine", 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("energy_pj = 3.7", 'energy_pj = "3.7"'),
        ("energy_pj = 3.7", "energy_pj = -1"),
        ("energy_pj = 3.7", "energy_nj = 3.7"),
        ("[integer_add]", "[integer_sum]"),
        ("process_nm = 45", ""),
        ("[memory]\nsource", "[memory]\nsauce"),
        ("name", "= ="),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(tmp_path, before: str, after: str) -> None:
    text = resources.files("disparsity.hwcost").joinpath("profiles", "horowitz45.toml").read_text("utf-8")
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(InputError, match=r"wrong\.toml: not a technology profile"):
        load_profile(str(path))


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_profile(str(tmp_path / "absent.toml"))
