"""The page "Adding to it": its code is taken from the page and run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from disparsity.cli import main
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores import registry
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.grids.codes import integer_codes, weights_from_codes
from disparsity.quant.quantizers import registry as quantizers

PAGE = Path(__file__).parents[2] / "docs" / "extend.md"
BLOCKS = {title: code for title, code in re.findall(r'```\w+ title="([\w.]+)"\n(.*?)```', PAGE.read_text(), re.DOTALL)}
MOST_LINES = 40


def test_every_example_is_short() -> None:
    assert set(BLOCKS) == {"tiny.py", "smallest_filter.py", "coarse.py", "mine.toml"}
    assert all(len(code.splitlines()) < MOST_LINES for code in BLOCKS.values())


def test_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tiny.py").write_text(BLOCKS["tiny.py"])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    assert main(["cost", "tiny:Tiny", "--size", "64x128"]) == 0
    # two calls of the tower at a quarter of the size, and the filter over four planes
    macs = 2 * (16 * 32) * 8 * 3 * 25 + 4 * (16 * 32) * 8 * 27
    printed = capsys.readouterr().out
    assert f"{macs / 1e6:.2f} M" in printed, printed


def test_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("disparsity.pruning.scores.registry.SCORES", registry.SCORES.copy())
    exec(compile(BLOCKS["smallest_filter.py"], "smallest_filter.py", "exec", dont_inherit=True), {})
    layer = nn.Conv2d(1, 2, 1, bias=False)
    layer.weight.data = torch.tensor([3.0, -4.0]).view(2, 1, 1, 1)
    layers = {"layer": layer}
    attach_masks(nn.ModuleDict(layers), prunable_layers(nn.ModuleDict(layers)))
    scores = registry.SCORES["filter_norm"](SimpleNamespace(layers=layers), None)(1)
    assert scores["layer"].flatten().tolist() == [3.0, 4.0]
    assert scores["layer"].shape == layer.weight.shape


def test_a_quantizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quantizers.QUANTIZERS, "coarse", None)  # the page sets it, the end of the test removes it
    exec(compile(BLOCKS["coarse.py"], "coarse.py", "exec", dont_inherit=True), {})
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    before = network[0].weight.detach().clone()
    attach_quantizers(
        network,
        {"0": LayerBits(weights=4, activations=32)},
        quantizer=quantizers.QUANTIZERS["coarse"].settings(),
    )
    codes, steps = integer_codes(network[0])
    assert int(codes.abs().max()) == 7
    assert len(set(steps.tolist())) == 1
    assert torch.equal(weights_from_codes(codes, steps, network[0]), network[0].weight)
    assert float((network[0].weight.detach() - before).abs().max()) <= float(steps[0]) * 0.51


def test_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BLOCKS["mine.toml"])
    assert load_profile(str(path)).name == "mine"
