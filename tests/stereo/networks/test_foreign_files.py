"""Foreign files: what a file is, when it is no archive of tensors, and what to do about it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from disparsity.base.errors import DisparsityError, InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return build_network("anynet_spn").state_dict()


def same(network: nn.Module, expected: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"downloads are limited, try again tomorrow\n", "a text file"),
        ("Größe überschritten".encode(), "a text file"),
        (("x" * 511 + "é").encode(), "a text file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\n\n<html lang=en>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "a pointer of Git LFS"),
        (b"\x80\x04\x95\x00", "a Python pickle"),
    ],
)
def test_the_kind_is_named(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(InputError, match=f"not a file of weights; found {kind}"):
        load_published(tmp_path / "a.pth", "anynet_spn")


class Wrapper(nn.Module):
    """A class that only its owner has."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)


@pytest.mark.parametrize(
    "content", [Wrapper(), nn.Sequential(nn.Conv2d(1, 1, 1)), {"state_dict": {}, "model": Wrapper()}]
)
def test_a_whole_module_is_named_with_what_to_do(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "whole.pth")
    with pytest.raises(InputError) as caught:
        load_published(tmp_path / "whole.pth", "anynet_spn")
    message = str(caught.value)
    assert "holds Python objects, which are never loaded; found " in message
    assert "model.state_dict()" in message
    assert "\x1b" not in message
    assert caught.value.exit_code == 2


def test_the_advice_works(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "whole.pth")
    with pytest.raises(InputError) as caught:
        load_published(tmp_path / "whole.pth", "anynet_spn")
    snippet = str(caught.value).rpartition("is installed: ")[2]
    subprocess.run([sys.executable, "-c", f"import torch; {snippet}"], cwd=tmp_path, check=True)
    assert list(torch.load(tmp_path / "weights.pth", weights_only=True)) == ["0.weight", "0.bias"]  # noqa: TID251


@pytest.mark.parametrize(
    "beside",
    [
        {"args": argparse.Namespace(lr=0.1, betas=(0.9, 0.999))},
        {"best": np.float64(1.5), "steps": np.int64(3), "seen": np.bool_(True)},
        {"curve": np.arange(3.0), "small": np.zeros(2, np.float16)},
    ],
)
def test_harmless_values_beside_the_weights_are_no_obstacle(tmp_path: Path, beside: dict[str, Any]) -> None:
    expected = state()
    torch.save({"state_dict": OrderedDict(expected), **beside}, tmp_path / "a.pth")
    assert same(load_published(tmp_path / "a.pth", "anynet_spn"), expected)


def test_safetensors_of_others_load(tmp_path: Path) -> None:
    expected = state()
    safetensors.torch.save_file(expected, tmp_path / "model.bin")
    assert same(load_published(tmp_path / "model.bin", "anynet_spn"), expected)


def test_cut_safetensors_are_corrupt(tmp_path: Path) -> None:
    content = safetensors.torch.save(state())
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(DisparsityError) as caught:
        load_published(tmp_path / "cut.safetensors", "anynet_spn")
    assert caught.value.exit_code == 3
