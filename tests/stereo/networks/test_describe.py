"""What is said about each preset, against published figures."""

from __future__ import annotations

import pytest

from disparsity.stereo.networks import NETWORKS, build_network
from disparsity.stereo.networks.describe import describe_network, volume_kinds


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("stereonet", "   425,378 parameters, disparities to 192, difference volume"),
        ("dispnetc", "42,174,107 parameters, disparities to 160, correlation volume"),
        ("mobilestereonet_2d", " 2,352,706 parameters, disparities to 192, interlaced volume"),
    ],
)
def test_parameters_disparity_and_volume(name: str, line: str) -> None:
    assert describe_network(name) == line


def test_every_preset_has_a_volume() -> None:
    expected = {"anynet": ["l1", "warped"], "gwcnet_gc": ["groupwise", "concatenation"], "gcnet": ["concatenation"]}
    for name in NETWORKS:
        assert describe_network(name).endswith(" volume")
        assert " no volume" not in describe_network(name)
    for name, kinds in expected.items():
        assert volume_kinds(build_network(name)) == kinds
