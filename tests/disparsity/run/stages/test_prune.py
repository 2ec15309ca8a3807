"""Stage `prune` and what follows it: masks that stay, and modules that are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from disparsity.base.layers import quantizable_layers
from disparsity.checkpoint.restore import open_network
from disparsity.pruning.masks import density, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.run.stages.layer_bits import compressed_layers
from disparsity.stereo.networks import build_network


def test_masks_stay_after_pruning(finished: Path) -> None:
    first, *others = [masks_of(open_network(str(path), None)) for path in sorted((finished / "stages").iterdir())]
    assert density(first) == pytest.approx(0.2, abs=1e-3)
    for masks in others:
        assert all(torch.equal(masks[name], mask) for name, mask in first.items())


def test_what_the_spec_excludes_is_not_pruned() -> None:
    network = build_network("anynet_spn")
    everything = set(quantizable_layers(network))
    excluded = {name for name in everything if name.startswith("refine_spn.")}
    assert len(excluded) == 6
    prunable = compressed_layers(network, prunable_layers(network, network.spec.protected))
    assert set(prunable) == everything - excluded - set(network.spec.protected)
