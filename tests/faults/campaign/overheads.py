"""What safety costs: a checkpoint in milliseconds and in steps, hashing in it, and coming back."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import Trainer
from disparsity.stereo.networks import build_network

NETWORKS = ("reference", "stereonet", "psmnet_hourglass")
"""Parameters times three (weights and two moments) is what a checkpoint holds."""


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of several calls."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1e3)
    return round(statistics.median(found), 2)


def overhead(name: str, folder: Path, times: int = 9) -> dict[str, Any]:
    """One network: saving, hashing, loading, and two steps on a 64x128 pair, the second one timed."""
    torch.manual_seed(0)
    network = build_network(name)
    scenes = SyntheticDataset(SyntheticSettings(pairs=1, height=256, width=256, max_disparity=16.0))
    objective = Objective(settings=TrainSettings(steps=2))
    trainer = Trainer(network, TrainingStream([scenes], [1.0], 1, None, 0).next_batch, objective)
    trainer._one_step(0)
    step = milliseconds(lambda: trainer._one_step(1), 1)
    side = folder / name / "resume.json"
    state = trainer.state()
    save = milliseconds(lambda: save_checkpoint(side, Checkpoint(trainer.state(), {"step": 1})), times)
    content = safetensors.torch.save(state)
    hashing = milliseconds(lambda: hashlib.sha256(content).digest(), times)
    resume = milliseconds(lambda: trainer.load(load_checkpoint(side).tensors), times)
    return {
        "network": name,
        "bytes": len(content),
        "step_ms": step,
        "save_ms": save,
        "hashing_ms": hashing,
        "resume_ms": resume,
    }
