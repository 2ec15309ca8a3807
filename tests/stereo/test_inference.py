"""Prediction keeps the network as it was; scoring is metrics of the finest map."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.stereo.inference import predict, score
from disparsity.stereo.metrics import image_errors
from disparsity.stereo.networks import build_network

TINY = {"halvings": 2, "width": 4, "refinement_width": 4, "max_disparity": 16}


@dataclass(frozen=True)
class Pair:
    left: Tensor
    right: Tensor
    disparity: Tensor
    valid: Tensor


def pair(height: int, width: int) -> Pair:
    generator = torch.Generator().manual_seed(height)
    left, right = torch.rand(2, 3, height, width, generator=generator)
    disparity = 20 * torch.rand(height, width, generator=generator)
    return Pair(left, right, disparity, disparity > 2)


def test_predict_uses_eval_mode_and_puts_the_mode_back() -> None:
    torch.manual_seed(0)
    network = build_network("stereonet", **TINY)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    sample = pair(30, 50)
    disparity = predict(network, sample.left, sample.right)
    assert network.training
    assert disparity.shape == (30, 50)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    network.eval()
    with torch.no_grad():
        expected = network(sample.left[None], sample.right[None])[-1][0]
    assert torch.equal(torch.from_numpy(disparity), expected)
    predict(network, sample.left, sample.right)
    assert not network.training


def test_score_gives_the_sums_of_each_pair_in_order_under_the_mask_limit() -> None:
    torch.manual_seed(0)
    network = build_network("stereonet", **TINY).eval()
    pairs = [pair(16, 32), pair(20, 24)]
    sums = score(network, iter(pairs), max_disparity=16.0)
    for sample, found in zip(pairs, sums, strict=True):
        known = (sample.valid & (sample.disparity < 16)).numpy()
        expected = image_errors(predict(network, sample.left, sample.right), sample.disparity.numpy(), known)
        assert found == expected
        assert found.pixels == int(known.sum())
