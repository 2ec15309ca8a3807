"""One run killed and resumed again and again, against one that nothing disturbed."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import torch
from campaign.children import ended, start

from disparsity.base.atomic_io import sha256_of
from disparsity.base.errors import StoppedError
from disparsity.base.signals import StopRequest, stop_on_signal
from disparsity.checkpoint.checkpoints import Checkpoint, save_checkpoint
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import Trainer
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings
from disparsity.run import resumable
from disparsity.run.resumable import ResumableTraining
from disparsity.stereo.networks import build_network

SIZES = {"halvings": 2, "width": 4, "refinement_width": 2, "max_disparity": 16}
_END = "end.json"


def new_trainer(steps: int, height: int, width: int) -> Trainer:
    """A pruning run of a network of 5,000 weights on synthetic pairs."""
    torch.manual_seed(0)
    network = build_network("reference", **SIZES)
    scenes = SyntheticDataset(SyntheticSettings(pairs=8, height=height, width=width, max_disparity=16.0))
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    settings = PruneSettings(sparsity=0.7, events=4)
    hook = Sparsify(layers, settings, steps, Regrow(RegrowSettings()), dict.fromkeys(layers, 1.0), None)
    objective = Objective(settings=TrainSettings(steps=steps, learning_rate=5e-3))
    return Trainer(network, TrainingStream([scenes], [1.0], 1, None, 0).next_batch, objective, [hook])


def finish(folder: Path, trainer: Trainer, stop: StopRequest) -> None:
    """Train to the end and write down weights, moments and scores."""
    ResumableTraining(folder, stop).run(trainer, "cycles")
    save_checkpoint(folder / _END, Checkpoint(trainer.state(), {}))


def outcome(folder: Path) -> list[str]:
    """The hashes of what a finished run leaves: tensors and metrics."""
    (tensors,) = folder.glob("end-*.safetensors")
    return [sha256_of(path) for path in (tensors, *folder.glob("metrics.jsonl"))]


def cycles(wanted: int, folder: Path, seed: int = 0, minutes: float = 60.0) -> dict[str, Any]:
    """Kill a run so many times, three in four by SIGKILL, else by SIGTERM, as the time allows, and let it end."""
    end = time.monotonic() + 60 * minutes
    steps, rng = wanted + wanted // 4 + 5, random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("unbroken", "killed"):
        (folder / name).mkdir(parents=True)
    finish(folder / "unbroken", new_trainer(steps, 32, 64), StopRequest())
    killed, sizes, resident, descriptors = folder / "killed", [], [], []
    count = terms = 0
    while count < wanted and not (killed / _END).exists() and time.monotonic() < end:
        child = start(lambda: _resumed(killed, steps))
        if _wait_for_a_save(killed, child):
            time.sleep(rng.random() * 0.04)
            facts = _facts_of(child)
            number = signal.SIGTERM if rng.random() < 0.25 else signal.SIGKILL
            os.kill(child, number)
            code = ended(child)
            assert code in (75, 0, -signal.SIGKILL), code
            count, terms = count + 1, terms + (number == signal.SIGTERM)
            resident.append(facts[0])
            descriptors.append(facts[1])
            sizes.append(sum(path.stat().st_size for path in killed.rglob("*") if path.is_file()))
    finish(killed, new_trainer(steps, 32, 64), StopRequest())
    same = outcome(killed) == outcome(folder / "unbroken")
    return {
        "cycles": count,
        "by_sigterm": terms,
        "steps": steps,
        "same_hashes": same,
        "disk_bytes": _ends(sizes),
        "resident_mb": _ends(resident),
        "descriptors": _ends(descriptors),
    }


def _resumed(folder: Path, steps: int) -> None:
    resumable._SAVE_EVERY_SECONDS = 0.0
    with stop_on_signal() as stop:
        try:
            finish(folder, new_trainer(steps, 32, 64), stop)
        except StoppedError as error:
            os._exit(error.exit_code)


def _wait_for_a_save(folder: Path, child: int) -> bool:
    """Whether the child has saved once more; else it has ended."""
    path = folder / "resume.json"
    before = path.stat().st_mtime_ns if path.exists() else None
    while not path.exists() or path.stat().st_mtime_ns == before:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return False
        time.sleep(0.002)
    return True


def _facts_of(child: int) -> tuple[float, int]:
    """Resident memory in MB and open files of a process."""
    pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1), len(os.listdir(f"/proc/{child}/fd"))


def _ends(values: list[Any]) -> dict[str, Any]:
    """The largest value of the first and of the last ten."""
    return {"first": max(values[:10], default=None), "last": max(values[-10:], default=None)}


def stops_in_one_process(wanted: int, folder: Path) -> dict[str, Any]:
    """Stop and resume in this process: what leaks would add up."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = []
    for _ in range(wanted):
        stop = StopRequest()
        stop.asked = True
        try:
            ResumableTraining(folder, stop).run(new_trainer(10 * wanted, 32, 64), "stops")
        except StoppedError:
            facts.append(_facts_of(os.getpid()))
    resident, descriptors = zip(*facts[len(facts) // 5 :], strict=True)  # caches fill first
    return {"stops": len(facts), "resident_mb": _ends(list(resident)), "descriptors": _ends(list(descriptors))}
