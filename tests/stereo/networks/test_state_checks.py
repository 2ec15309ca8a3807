"""Checks of a network's state: values that are not finite are refused wherever a network is opened."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.packed import pack_network, read_network, write_network
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.hwcost.codec.packed_file import write_content
from disparsity.hwcost.codec.packing import pack
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.state_checks import check_finite

VALUES = (float("nan"), float("inf"), float("-inf"))


def damaged(name: str, value: float) -> StereoNetwork:
    network = build_network("anynet_spn")
    with torch.no_grad():
        network.state_dict(keep_vars=True)[name].view(-1)[-1] = value
    return network


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", ["weight", "bias", "running_mean", "running_var"])
def test_the_tensor_is_named(kind: str, value: float) -> None:
    name = next(name for name in build_network("anynet_spn").state_dict() if name.endswith(f".{kind}"))
    with pytest.raises(InputError, match=f"here: weights are NaN or infinite; found {name}; expected finite numbers"):
        check_finite(damaged(name, value), "here")


def test_finite_networks_and_masks_of_infinity_pass() -> None:
    network = build_network("anynet_spn")
    network.register_buffer("attention_mask", torch.full((2, 2), float("-inf")))
    check_finite(network, None)


def test_only_the_first_five_are_listed() -> None:
    layers = nn.Sequential(*(nn.Conv2d(1, 1, 1, bias=False) for _ in range(8)))
    for layer in layers:
        nn.init.constant_(layer.weight, float("nan"))
    with pytest.raises(InputError, match=r"found 0\.weight, .*, 4\.weight and 3 more tensors;"):
        check_finite(layers, None)


def test_no_door_lets_them_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = damaged("feature_extraction.block0.0.0.weight", float("nan"))
    torch.save(network.state_dict(), tmp_path / "published.pth")
    save_checkpoint(tmp_path / "ours" / "checkpoint.json", network_checkpoint(network, {}))
    write_content(tmp_path / "packed.h5", pack(pack_network(network)))
    module = types.ModuleType("owners_nan")
    module.build = lambda: network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "owners_nan", module)
    doors = {
        "published.pth": lambda: open_network(str(tmp_path / "published.pth"), "anynet_spn"),
        "ours": lambda: open_network(str(tmp_path / "ours"), None),
        "packed.h5": lambda: read_network(tmp_path / "packed.h5"),
        "owners_nan:build": lambda: open_network("", "owners_nan:build"),
        "new.h5": lambda: write_network(tmp_path / "new.h5", network),
    }
    for where, door in doors.items():
        with pytest.raises(InputError, match=f"{where}: weights are NaN or infinite"):
            door()
    assert not (tmp_path / "new.h5").exists()
