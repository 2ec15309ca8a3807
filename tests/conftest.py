"""Fixtures that every test can use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity import registries
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

ROOT = Path(__file__).resolve().parents[1]
TINY_DEMO = """
threads = 1
[network]
checkpoint = "{checkpoint}"
[data]
train = ["synthetic:?pairs=2&size=32x64&seed=1&max_disparity=16"]
test = ["synthetic:?pairs=1&size=32x64&seed=9&max_disparity=16"]
batch = 1
[prune]
sparsity = 0.8
events = 1
[prune.train]
steps = 1
[finetune]
steps = 1
[quantize]
rounding = "nearest"
[report]
pictures = 1
"""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real pairs and published weights; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("DISPARSITY_DATA", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}; set DISPARSITY_DATA")
    return folder


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    """Give back what recipes set for the whole process: two threads where one core is free take fifty times longer."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=False)
    torch.utils.deterministic.fill_uninitialized_memory = True


@pytest.fixture
def network() -> Callable[..., StereoNetwork]:
    """Builds a StereoNet of 5,000 weights from a seed."""

    def build(seed: int = 0, **changes: Any) -> StereoNetwork:
        torch.manual_seed(seed)
        sizes = {"halvings": 2, "width": 4, "refinement_width": 4, "max_disparity": 16, "disparity_scale": 8.0}
        return build_network("stereonet", **(sizes | changes))

    return build


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network of 5,000 weights, untrained; tests must not change it."""
    torch.manual_seed(3)
    network = build_network("reference", halvings=2, width=4, refinement_width=2, max_disparity=16)
    folder = tmp_path_factory.mktemp("dense")
    save_checkpoint(folder / "checkpoint.json", network_checkpoint(network, {}))
    return folder


@pytest.fixture(scope="session")
def flipped() -> Callable[[bytes, int], bytes]:
    """Some bytes with one bit of them changed, counted from the lowest of the first byte."""

    def flip(content: bytes, place: int) -> bytes:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << (place % 8)
        return bytes(damaged)

    return flip


@pytest.fixture
def tiny_demo(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; in place of the installed recipe `demo` there is one with hardly any steps."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "demo.toml").write_text(TINY_DEMO.format(checkpoint=checkpoint))
    monkeypatch.setitem(registries._FOLDERS, "recipes", tmp_path / "recipes")
    return tmp_path
