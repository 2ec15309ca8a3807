"""The reconstruction of one run: targets once, saliencies kept until the weights move."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from disparsity.base.layers import trained_weight
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.reconstruction import reconstructor as module
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

SETTINGS: dict[str, Any] = {"positions": 1500, "ridge": 1e-3, "probes": 2}


def pruned(dense: StereoNetwork, kept: float) -> StereoNetwork:
    network = copy.deepcopy(dense)
    attach_masks(network, prunable_layers(network, network.spec.protected))
    generator = torch.Generator().manual_seed(1)
    set_masks(network, {n: torch.rand(m.shape, generator=generator) < kept for n, m in masks_of(network).items()})
    zero_pruned(network)
    return network


def distance(network: StereoNetwork, dense: StereoNetwork, batch: Batch) -> float:
    with torch.no_grad():
        pairs = zip(network.eval()(batch.left, batch.right), dense(batch.left, batch.right), strict=True)
        return float(torch.stack([(a - b).square().mean() for a, b in pairs]).sum())


def test_solving_brings_a_pruned_network_nearer_to_the_dense_one_on_unseen_pairs(
    network: Any, batches: Callable[[int], Batch]
) -> None:
    dense = network().eval()
    net = pruned(dense, 0.6)
    before = distance(net, dense, batches(7))
    Reconstructor(net, dense, batches(0), **SETTINGS, seed=0).solve()
    assert distance(net, dense, batches(7)) < 0.6 * before
    for name, mask in masks_of(net).items():
        assert bool((trained_weight(net.get_submodule(name))[~mask] == 0).all())


def test_scores_have_the_weights_shape_and_are_zero_where_pruned(network: Any, batches: Callable[[int], Batch]) -> None:
    dense = network().eval()
    net = pruned(dense, 0.6)
    layers = prunable_layers(net, net.spec.protected)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    first, second = (Reconstructor(net, dense, batches(0), **SETTINGS, seed=3).scores(layers) for _ in range(2))
    assert list(first) == list(layers)
    for name, mask in masks_of(net).items():
        assert first[name].shape == mask.shape
        assert torch.equal(first[name], second[name])
        assert bool((first[name][~mask] == 0).all())
        assert bool((first[name] >= 0).all())
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


def test_targets_are_measured_once_and_saliencies_until_the_weights_move(
    network: Any, batches: Callable[[int], Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        function = getattr(module, name)

        def call(*args: Any, **keywords: Any) -> Any:
            calls.append(name)
            return function(*args, **keywords)

        return call

    for name in ("dense_targets", "reconstruct"):
        monkeypatch.setattr(module, name, counted(name))
    dense = network().eval()
    net = pruned(dense, 0.6)
    layers = prunable_layers(net, net.spec.protected)
    solver = Reconstructor(net, dense, batches(0), **SETTINGS, seed=0)
    solver.solve()
    solver.scores(layers)
    assert calls == ["dense_targets", "reconstruct"]
    solver.forget()
    solver.scores(layers)
    assert calls == ["dense_targets", "reconstruct", "reconstruct"]


def test_what_the_spec_excludes_is_not_solved(network: Any, batches: Callable[[int], Batch]) -> None:
    dense = network().eval()
    net = pruned(dense, 0.6)
    net.spec = dataclasses.replace(net.spec, uncompressed=("refine",))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    Reconstructor(net, dense, batches(0), **SETTINGS, seed=0).solve()
    moved = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved
    assert not any(name.startswith("refine.") for name in moved)


def test_a_filter_that_the_disparity_does_not_see_scores_zero(network: Any, batches: Callable[[int], Batch]) -> None:
    dense = network().eval()
    with torch.no_grad():
        dense.refine[7].weight.zero_()
    layers: dict[str, Any] = {"refine.0": dense.refine[0], "downsampling.0": dense.downsampling[0]}
    scores: dict[str, Tensor] = Reconstructor(dense, dense, batches(0), **SETTINGS, seed=0).scores(layers)
    assert not scores["refine.0"].any()
    assert bool((scores["downsampling.0"] > 0).any())


def test_transposed_convolutions_are_scored_and_left_as_they_are() -> None:
    torch.manual_seed(0)
    dense = build_network("gcnet", width=2, blocks=1, max_disparity=32).eval()
    net = copy.deepcopy(dense)
    layers = prunable_layers(net, net.spec.protected)
    attach_masks(net, layers)
    left = torch.rand(2, 3, 32, 64)
    truth = torch.zeros(2, 32, 64)
    batch = Batch(left=left, right=torch.roll(left, -3, dims=-1), disparity=truth, valid=truth > 0, ids=("a", "b"))
    solver = Reconstructor(net, dense, batch, positions=400, ridge=1e-3, probes=1, seed=0)
    scores = solver.scores(layers)
    assert {name: score.shape for name, score in scores.items()} == {
        name: trained_weight(layer).shape for name, layer in layers.items()
    }
    assert all(bool(torch.isfinite(score).all()) for score in scores.values())
    transposed = net.get_submodule("aggregation.up.0.0")
    before = trained_weight(transposed).clone()
    assert float(scores["aggregation.up.0.0"].max()) > 0
    solver.solve()
    assert torch.equal(trained_weight(transposed), before)
