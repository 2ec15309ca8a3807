"""What `test_parallel.py` runs in every process of a group, and alone: a few steps with events, to a file."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors.torch import save_file

from disparsity.base import distributed
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.objective import Objective
from disparsity.finetune.recalibrate import recalibrate
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import Trainer
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings
from disparsity.stereo.networks import build_network

DATA = "synthetic:?pairs=5&size=32x64&seed=1&max_disparity=16"
STEPS = 3


def main(meeting: str, rank: int, count: int, out: Path) -> None:
    """Train, prune, evaluate; the tensors of this process go to `out`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with distributed.initialized_group(f"file://{meeting}", rank, count) if count > 1 else nullcontext():
        network = build_network("reference", width=4, refinement_width=4, max_disparity=16)
        layers = prunable_layers(network, network.spec.protected)
        attach_masks(network, layers)
        stream = TrainingStream([open_data(DATA)], (1.0,), 4, None, 0, part=(rank, count))
        settings = TrainSettings(steps=STEPS, learning_rate=1e-3, lr_schedule="constant")
        prune = PruneSettings(sparsity=0.5, events=2, event_fraction=0.7)
        hook = Sparsify(layers, prune, STEPS, Frozen(), dict.fromkeys(layers, 1.0), None)
        trainer = Trainer(network, stream.next_batch, Objective(settings=settings), [hook])
        trainer.run("train")
        recalibrate(network, lambda module, index: _forward(module, stream, index), 2)
        figures = evaluate(network.eval(), open_data(DATA), uri=DATA, stage="dense", keep=1)
    row = torch.tensor([figures.row["epe_px"], figures.row["d1_percent"], len(figures.maps)], dtype=torch.float64)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors | {"figures": row}, out)


def _forward(module: torch.nn.Module, stream: TrainingStream, index: int) -> object:
    batch = stream.next_batch(1000 + index)
    return module(batch.left, batch.right)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
