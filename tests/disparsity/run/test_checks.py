"""Every range at its edges; the command's tests show that a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from disparsity.base.errors import DisparsityError, InputError
from disparsity.base.signals import StopRequest
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.checks import check_files, check_report, check_settings
from disparsity.run.context import open_context


@pytest.fixture
def load(write_recipe: Callable[..., Path], tmp_path: Path) -> Callable[..., object]:
    return lambda *changes: load_recipe(write_recipe(tmp_path), changes)


@pytest.mark.parametrize("change", ["device=cpu", "device=auto", "finetune.grad_accumulation_steps=2"])
def test_the_edges_are_inside(load: Callable, change: str) -> None:
    check_settings(load(change))


@pytest.mark.parametrize(
    "change",
    ["report.runtime=torch", "device=gpu", "device=cuda:99", "finetune.grad_accumulation_steps=3"],
)
def test_beyond_the_edges_the_key_is_named(load: Callable, change: str) -> None:
    with pytest.raises(InputError, match=f"^{change.partition('=')[0]}: "):
        check_settings(load(change))


@pytest.mark.parametrize("key", ["finetune_quantized", "finetune", "prune.train"])
def test_pruned_weights_are_put_back_into_the_dense_structure_only(load: Callable, key: str) -> None:
    changes = (f"{key}.teacher=in_network", "prune.pattern=channel")
    with pytest.raises(InputError, match=rf"^{key}\.teacher: no pruned weights to put back"):
        check_settings(load(*changes))
    if key != "finetune_quantized":
        check_settings(load(changes[0]))
    check_settings(load(changes[0], f"{key}.teacher.weight=0.0"))


def test_a_report_needs_a_size_that_fits_memory(load: Callable) -> None:
    check_report(load())
    check_report(load("data.test=[]", "report.size=64x64"))
    with pytest.raises(InputError, match="the input is too large"):
        check_report(load("report.size=99999x99999"))


def opened(recipe: Recipe, folder: Path) -> None:
    context = open_context(recipe, folder, StopRequest())
    check_files(context, context.dense)


def test_files_are_opened_before_a_folder_is_made(load: Callable, tmp_path: Path) -> None:
    opened(load(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    for change in (
        "network.checkpoint=nowhere",
        'data.calibration=["kitti2015:nowhere"]',
        "data.calibration_crop=99x99",
    ):
        with pytest.raises(DisparsityError, match=r"nowhere|99x99"):
            opened(load(change), tmp_path / "run")


RECURRENT = """
from torch import nn
from disparsity.stereo.spec import NetworkSpec


class Recurrent(nn.Module):
    spec = NetworkSpec(
        name="x", settings={}, divisor=4, mean=(0.0,) * 3, std=(1.0,) * 3, max_disparity=16, protected=()
    )

    def __init__(self):
        super().__init__()
        self.update = nn.GRUCell(3, 1)

    def forward(self, left, right):
        flat = (left - right).movedim(1, -1)
        return self.update(flat.flatten(0, 2)).view(flat.shape[:3])
"""


def test_a_network_of_the_users_own_is_taken_or_refused_before_anything_starts(
    load: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "with_a_gru.py").write_text(RECURRENT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    recipe = load("network.name=with_a_gru:Recurrent", 'network.checkpoint=""')
    with pytest.raises(InputError, match=r"with_a_gru:Recurrent: .*recurrent layer at network\.update \(GRUCell\)"):
        opened(recipe, tmp_path / "run")
    opened(replace(recipe, prune=None, quantize=None), tmp_path / "run")


def test_distributions_are_taught_to_networks_that_have_them(load: Callable, tmp_path: Path) -> None:
    recipe = load("finetune.teacher.volume_weight=1.0")
    opened(recipe, tmp_path)
    other = load("finetune.teacher.volume_weight=1.0", "network.name=dispnetc", "network.checkpoint=")
    with pytest.raises(InputError, match=r"^dispnetc: the network has no cost volume"):
        opened(other, tmp_path)
