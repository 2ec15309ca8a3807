"""MACs per weight: output pixels of every layer, relative to the largest."""

from __future__ import annotations

import torch

from disparsity.datasets.batches.stream import Batch
from disparsity.run.stages.weight_macs import macs_per_weight
from disparsity.stereo.networks import build_network

TINY = {"halvings": 2, "width": 4, "refinement_width": 2, "max_disparity": 16}


def test_a_weight_costs_as_many_macs_as_its_layer_has_outputs() -> None:
    network = build_network("reference", **TINY).eval()
    views = torch.rand(2, 1, 3, 32, 64).unbind()
    outputs = dict.fromkeys(("downsampling.0", "refine.0"), 0)
    for name in outputs:

        def count(_module: object, _inputs: object, output: torch.Tensor, name: str = name) -> None:
            outputs[name] += output[:, 0].numel()

        network.get_submodule(name).register_forward_hook(count)
    with torch.no_grad():
        network(*views)
    known = torch.zeros(1, 32, 64, dtype=torch.bool)
    batch = Batch(left=views[0], right=views[1], disparity=torch.zeros(1, 32, 64), valid=known, ids=("a",))
    most = max(outputs.values())
    expected = {name: count / most for name, count in outputs.items()}
    assert macs_per_weight(network, list(expected), batch) == expected
