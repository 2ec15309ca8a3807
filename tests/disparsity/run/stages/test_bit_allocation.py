"""Allocations on a tiny network: the budget holds for the network that comes out, and what is fixed stays fixed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity import pipeline
from disparsity.base.errors import InputError
from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.stream import Batch
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import attach_masks, set_masks
from disparsity.quant.attach import attach_quantizers, layer_bits
from disparsity.recipe.recipe import load_recipe
from disparsity.recipe.sections import QuantizeSection
from disparsity.run.stages.bit_allocation import Allocated, Allocator, mask_channels
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


@pytest.fixture
def network() -> StereoNetwork:
    """A third of one layer is pruned."""
    torch.manual_seed(3)
    network = build_network("reference", halvings=2, width=4, refinement_width=2, max_disparity=16).eval()
    attach_masks(network, ["downsampling.1"])
    set_masks(network, {"downsampling.1": torch.rand(4, 4, 5, 5) > 1 / 3})
    return network


def magnitudes(layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {name: effective_weight(layer).square() for name, layer in layers.items()}


def batch() -> Batch:
    generator = torch.Generator().manual_seed(5)
    left, right = torch.rand(2, 2, 3, 16, 32, generator=generator).unbind()
    nothing = torch.zeros(2, 16, 32)
    return Batch(left=left, right=right, disparity=nothing, valid=nothing.bool(), ids=("a", "b"))


def chosen(network: StereoNetwork, **changes: Any) -> tuple[Allocated, QuantizeSection]:
    entries = {"layer_bits": changes.pop("layer_bits", ()), "weight_bits": 4}
    evaluations = {"evaluations": 12} if changes["name"] in ("search", "random") else {}
    settings = QuantizeSection(allocation={"candidates": (2, 4, 8)} | evaluations | changes, **entries)
    bits, profile = bits_of(network, settings), load_profile()
    return Allocator(network, settings, bits, batch(), attach_quantizers, magnitudes, profile, 0).allocate(), settings


def real_cost(network: StereoNetwork, allocated: Allocated, budget: str) -> float:
    """Of the network with these bits and these channels masked."""
    other = copy.deepcopy(network)
    mask_channels(other, allocated.removed)
    workload = trace_workload(other, (batch().left[:1], batch().right[:1]), allocated.bits)
    calls = [call for call in workload.calls if call.weight_count]
    if budget == "bops":
        return sum(call.effectual_macs * call.weight_bits * call.activation_bits for call in calls)
    return sum(call.nnz * call.weight_bits / 8 for call in calls if call.call == 0)


@pytest.mark.parametrize(
    ("name", "budget"), [("greedy", "bytes"), ("lagrangian", "bops"), ("search", "bops"), ("random", "bops")]
)
def test_the_network_costs_no_more_than_uniform_bits(network: StereoNetwork, name: str, budget: str) -> None:
    removed = {"removed_fraction": 0.5} if name in ("search", "random") else {}
    allocated, settings = chosen(network, name=name, budget=budget, **removed)
    uniform = Allocated(bits=bits_of(network, settings), removed={}, metadata={})
    limit = real_cost(network, uniform, budget)
    assert real_cost(network, allocated, budget) <= limit * (1 + 1e-9)
    assert allocated.metadata["cost"] <= allocated.metadata["limit"]
    assert allocated.metadata["mean_squared_change_px2"] >= 0
    fixed = (*network.spec.first, *network.spec.protected)
    assert all(allocated.bits[layer].weights == 8 for layer in fixed)
    assert not set(allocated.removed) & set(fixed)
    assert {b.weights for layer, b in allocated.bits.items() if layer not in fixed} <= {2, 4, 8}


def test_patterns_fix_bits_and_activations_stay(network: StereoNetwork) -> None:
    allocated, settings = chosen(network, name="greedy", layer_bits=("refine.*=6/5",), budget_bits=3.0)
    plain = bits_of(network, settings)
    assert all(each.weights == 6 for name, each in allocated.bits.items() if name.startswith("refine."))
    assert {n: each.activations for n, each in allocated.bits.items()} == {n: b.activations for n, b in plain.items()}


def test_a_share_of_the_dense_cost(network: StereoNetwork) -> None:
    allocated, _ = chosen(network, name="lagrangian", budget_fraction=0.15)
    weights = sum(effective_weight(layer).numel() for layer in quantizable_layers(network).values())
    assert allocated.metadata["limit"] == pytest.approx(0.15 * 4 * weights)
    with pytest.raises(InputError, match="the budget is below the cost of the fewest bits"):
        chosen(network, name="lagrangian", budget_fraction=0.01)
    with pytest.raises(InputError, match=r"^allocation\.budget_bits: out of range; found 9"):
        chosen(network, name="lagrangian", budget_bits=9.0)


def test_removed_channels_are_zero_and_the_least_important(network: StereoNetwork) -> None:
    before = {name: effective_weight(layer).clone() for name, layer in quantizable_layers(network).items()}
    allocated, _ = chosen(network, name="random", removed_fraction=0.9, evaluations=1)
    assert len(allocated.removed) > 5
    mask_channels(network, allocated.removed)
    for name, gone in allocated.removed.items():
        sums = before[name].square().flatten(1).sum(dim=1)
        assert gone.tolist() == sums.argsort(stable=True)[: len(gone)].tolist()
        kept = torch.ones(len(sums), dtype=torch.bool).index_fill_(0, gone, value=False)
        expected = before[name] * kept.view(-1, *[1] * (before[name].dim() - 1))
        assert torch.equal(effective_weight(network.get_submodule(name)), expected)


def test_a_stage_with_an_allocation(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    settings = ["removed_fraction=0.5", "evaluations=5", "budget_bits=3.0", "candidates=[2, 3, 6]", "pairs=1"]
    changes = ["quantize.allocation=search", *(f"quantize.allocation.{setting}" for setting in settings)]
    recipe = load_recipe(write_recipe(tmp_path), changes)
    folder = pipeline.run_single(recipe, tmp_path / "run", "quantize", None)
    metadata = json.loads((folder / "allocation.json").read_text())
    quantized = open_network(str(folder), None)
    assert {name: row["weight_bits"] for name, row in metadata["layers"].items()} == {
        name: bits.weights for name, bits in layer_bits(quantized).items()
    }
    for name, row in metadata["layers"].items():
        weight = effective_weight(quantized.get_submodule(name)).flatten(1)
        assert int((weight == 0).all(dim=1).sum()) >= row["removed_channels"]
    assert any(row["removed_channels"] for row in metadata["layers"].values())
    assert metadata["cost"] <= metadata["limit"]
    assert metadata["evaluations"] == 5
