"""A tiny checkpoint, a tiny recipe and one finished run, shared by the tests of the pipeline and the command line."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity import pipeline
from disparsity.base.atomic_io import sha256_of
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino import graph as openvino_graph
from disparsity.export.openvino.folder import write_openvino
from disparsity.finetune.training import Trainer
from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings
from disparsity.recipe.recipe import load_recipe
from disparsity.report.figures import rendering
from disparsity.run.resumable import ResumableTraining
from disparsity.stereo.networks import build_network

RECIPE = """
threads = 1
[network]
name = "reference"
checkpoint = "{checkpoint}"
[data]
train = ["synthetic:?pairs=6&size=32x64&seed=1&max_disparity=16"]
test = ["synthetic:?pairs=2&size=32x64&seed=9&max_disparity=16"]
batch = 2
[prune]
sparsity = 0.8
score = "{score}"
mode = "{mode}"
events = 3
[prune.train]
steps = 4
lr_schedule = "constant"
[finetune]
steps = 4
teacher = "dense"
[quantize]
calibration_pairs = 2
[quantize.rounding]
positions = 300
[finetune_quantized]
steps = 4
learning_rate = 1e-4
[report]
pictures = 1
"""


PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
EMPTY: dict[str, bytes] = {"png": PIXEL, "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>'}


def sketch(patch: pytest.MonkeyPatch) -> None:
    """Reports whose figures are not drawn, which takes most of a tiny run's time; drawing has its own tests."""

    def save(_figure: Any, kind: str, *_settings: Any) -> bytes:
        return EMPTY[kind]

    patch.setattr(rendering, "_save", save)


@pytest.fixture(autouse=True)
def _sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    sketch(monkeypatch)


@pytest.fixture(scope="session")
def write_recipe(checkpoint: Path) -> Callable[..., Path]:
    """Writes the tiny recipe into a folder and returns its path."""

    def write(folder: Path, score: str = "taylor", mode: str = "frozen") -> Path:
        path = folder / "recipe.toml"
        path.write_text(RECIPE.format(checkpoint=checkpoint, score=score, mode=mode))
        return path

    return write


@pytest.fixture(scope="session")
def finished(write_recipe: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the tiny recipe; tests must not change it."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        sketch(patch)
        pipeline.run(load_recipe(write_recipe(folder)), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def quantized(finished: Path) -> Path:
    """The last checkpoint of the finished run."""
    return finished / "stages" / "04-finetune_quantized"


@pytest.fixture(scope="session")
def snapshot() -> Callable[[Path], dict[str, str]]:
    """What a folder holds: the SHA-256 of every file, folders too, by relative path."""

    def take(folder: Path) -> dict[str, str]:
        paths = [Path(top) / name for top, folders, files in os.walk(folder) for name in (*folders, *files)]
        return {str(path.relative_to(folder)): sha256_of(path) if path.is_file() else "folder" for path in paths}

    return take


@pytest.fixture
def unreported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without a report, which takes most of the time of a tiny one and depends on the run's folder alone."""
    monkeypatch.setattr(pipeline, "build_report", lambda _run, _recipe: {})


@pytest.fixture
def asked_to_stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """All training from here on is asked to stop after the step of this number, as by a signal."""

    def ask(number: int) -> None:
        logged = ResumableTraining.after_step

        def after_step(training: ResumableTraining, trainer: Trainer, step: int, loss: float) -> None:
            training._stop.asked = step == number
            logged(training, trainer, step, loss)

        monkeypatch.setattr(ResumableTraining, "after_step", after_step)

    return ask


@pytest.fixture(scope="session")
def deployable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint of a tiny network, quantized (4-bit weights, 8-bit inputs) and a third pruned."""
    torch.manual_seed(0)
    network = build_network("reference", halvings=2, width=4, refinement_width=2, max_disparity=16).eval()
    spec, views = network.spec, torch.rand(2, 1, 3, 32, 64).unbind()
    scores = {name: torch.rand_like(layer.weight) for name, layer in prunable_layers(network, spec.protected).items()}
    attach_masks(network, scores)
    set_masks(network, {name: score > 1 / 3 for name, score in scores.items()})
    zero_pruned(network)
    fold_batchnorm(network, views)
    settings = BitSettings(weight_bits=4, activation_bits=8)
    attach_quantizers(network, uniform_bits(network, settings, first=spec.first, protected=spec.protected))
    calibrate(network, [views])
    finalise(network)
    folder = tmp_path_factory.mktemp("deployable")
    save_checkpoint(folder / "checkpoint.json", network_checkpoint(network, {}))
    return folder


@pytest.fixture(scope="session")
def onnx_file(deployable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quantized network, exported for images of 30x61; tests must not change it."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    write_onnx(path, open_network(str(deployable), None), (30, 61))
    return path


@pytest.fixture(scope="session")
def openvino_folder(deployable: Path, onnx_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for OpenVINO, from the same graph, since tracing takes a while."""
    pytest.importorskip("openvino")
    onnx = pytest.importorskip("onnx")
    path = tmp_path_factory.mktemp("openvino") / "network"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino_graph, "onnx_graph", lambda *_: onnx.load(onnx_file))
        write_openvino(path, open_network(str(deployable), None), (30, 61))
    return path
