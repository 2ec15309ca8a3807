"""A whole run on a device that is not the CPU: nothing is forgotten there, and it comes to the same result."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from disparsity import pipeline
from disparsity.base.errors import StoppedError
from disparsity.checkpoint.checkpoints import load_checkpoint
from disparsity.datasets.uri import open_data
from disparsity.evaluation import runtimes
from disparsity.recipe.recipe import load_recipe
from disparsity.run import context

Writer = Callable[..., Path]

SMALL = (
    *(
        "prune.train.steps=2",
        "prune.events=2",
    ),
    *(
        "finetune.steps=1",
        "finetune_quantized.steps=1",
        "quantize.calibration=max",
        "quantize.quantizer.initialisation=max",
    ),
    *("quantize.calibration_pairs=1", "quantize.rounding.positions=60", "prune.train.kernels=dense"),
    *("finetune.kernels=dense", "finetune_quantized.kernels=dense"),
)


@pytest.fixture(scope="module")
def second() -> ModuleType:
    """What pretends to be a second device."""
    path = Path(__file__).parents[1] / "second_device.py"
    spec = importlib.util.spec_from_file_location("second_device", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def on_far(second: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """Recipes and commands that take the second device."""
    for module in (context, runtimes):
        monkeypatch.setattr(module, "choose_device", lambda *_: second.FAR)
    with second.second_device() as device:
        yield device


def test_the_pretence_refuses_what_a_gpu_refuses(second: ModuleType) -> None:
    near = torch.arange(6.0).view(2, 3)
    with second.second_device() as device:
        far = near.to(device)
        assert far.device == torch.ones(2, device=device).device == device
        with pytest.raises(RuntimeError, match="on the CPU, others on the second"):
            far + near
        with pytest.raises(RuntimeError, match="numpy"):
            far.numpy()
        assert (far * 2 + torch.tensor(1.0)).cpu().equal(near * 2 + 1)
        assert far[torch.tensor([1])].tolist() == [[3.0, 4.0, 5.0]]


@pytest.mark.slow
def test_a_run_comes_to_the_same_masks_and_errors(
    write_recipe: Writer, tmp_path: Path, second: ModuleType, unreported: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(write_recipe(tmp_path), SMALL)
    pipeline.run(recipe, tmp_path / "near")
    monkeypatch.setattr(context, "choose_device", lambda _: second.FAR)
    with second.second_device():
        pipeline.run(recipe, tmp_path / "far")
    for stage in ("01-prune", "02-finetune", "03-quantize", "04-finetune_quantized"):
        near, far = (load_checkpoint(tmp_path / place / "stages" / stage).tensors for place in ("near", "far"))
        masks = [name for name in near if name.endswith(".mask")]
        assert masks
        assert all(torch.equal(near[name], far[name]) for name in masks)
    for stage, tolerance in (("dense", 1e-5), ("pruned", 2e-3)):
        near, far = (
            json.loads((tmp_path / place / "evaluation" / f"{stage}.json").read_text())["rows"][0]
            for place in ("near", "far")
        )
        assert far["epe_px"] == pytest.approx(near["epe_px"], rel=tolerance)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta parameter")  # what is pretended has values
def test_a_stopped_stage_goes_on_there(
    write_recipe: Writer, tmp_path: Path, on_far: torch.device, asked_to_stop_at: Callable[[int], None]
) -> None:
    recipe = load_recipe(write_recipe(tmp_path, mode="soft"), [*SMALL, "prune.train.steps=4", "data.test=[]"])
    asked_to_stop_at(2)
    with pytest.raises(StoppedError):
        pipeline.run_single(recipe, tmp_path / "run", "prune", None)
    folder = pipeline.run_single(recipe, tmp_path / "run", "prune", None)
    stored = load_checkpoint(folder)
    assert all(tensor.device.type == "cpu" for tensor in stored.tensors.values())


def test_a_network_is_evaluated_there(on_far: torch.device, checkpoint: Path) -> None:
    sample = open_data("synthetic:?pairs=1&size=32x64&seed=9&max_disparity=16")[0]
    disparity = runtimes.open_in_runtime(str(checkpoint), None, "torch").estimate(sample.left, sample.right)
    assert disparity.shape == (32, 64)
