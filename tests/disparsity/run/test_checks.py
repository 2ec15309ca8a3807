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


@pytest.mark.parametrize(
    "change",
    ["seed=0", "seed=2147483647", "threads=0", "threads=256", "data.batch=1", "data.weights=[0.5]",
     "data.mask_disparity=0.0", "report.pictures=0", "prune.handicap=0.0", "prune.handicap=1.0", "prune.events=4",
     "prune.mode=regrow", "prune.dense_share=1.0", "prune.fade=0.0", "device=cpu", "device=auto",
     "finetune.accumulate=2"],
)  # fmt: skip
def test_the_edges_are_inside(load: Callable, change: str) -> None:
    check_settings(load(change))


@pytest.mark.parametrize(
    "change",
    ["seed=-1", "seed=2147483648", "threads=-1", "threads=257", "data.batch=0", "data.weights=[-0.5]",
     "data.mask_disparity=-0.1", "report.pictures=-1", "report.latency_runs=0",
     "report.runtime=torch", "prune.handicap=-0.1", "prune.handicap=1.1",
     "prune.mode=regro", "prune.dense_share=1.1", "prune.fade=1.0", "quantize.quantizer=lsk",
     "quantize.initialisation=msee", "device=gpu", "device=cuda:99", "finetune.accumulate=3"],
)  # fmt: skip
def test_beyond_the_edges_the_key_is_named(load: Callable, change: str) -> None:
    with pytest.raises(InputError, match=f"^{change.partition('=')[0]}: "):
        check_settings(load(change))


@pytest.mark.parametrize("mode", ["alternating", "rigl"])
def test_weights_that_return_at_zero_are_not_held_there(load: Callable, mode: str) -> None:
    changes = (f"prune.mode={mode}", "prune.train.psgd=1.0")
    check_settings(load(*changes, "prune.train.psgd_target=grid"))
    with pytest.raises(InputError, match=r"^prune\.train\.psgd_target: .* return at zero"):
        check_settings(load(*changes))


@pytest.mark.parametrize("key", ["finetune_quantized", "finetune", "prune.train"])
def test_pruned_weights_are_put_back_into_the_dense_structure_only(load: Callable, key: str) -> None:
    changes = (f"{key}.teacher=in_network", f"{key}.teacher_weight=1.0", "prune.pattern=channel")
    with pytest.raises(InputError, match=rf"^{key}\.teacher: no pruned weights to put back"):
        check_settings(load(*changes))
    if key != "finetune_quantized":
        check_settings(load(*changes[:2]))
    check_settings(load(changes[0], f"{key}.teacher_weight=0.0"))


def test_scores_that_need_no_steps_may_come_before_the_first(load: Callable) -> None:
    with pytest.raises(InputError, match="no step is scored before the first event"):
        check_settings(load("prune.train.steps=0"))
    for score in ("magnitude", "random", "obs", "taylor_pass"):
        check_settings(load("prune.train.steps=0", f"prune.score={score}"))


def test_cycles_need_weights_that_return(load: Callable) -> None:
    changes = ("prune.schedule=cyclic", "prune.events=6", "prune.train.steps=12")
    with pytest.raises(InputError, match="needs weights that return; expected regrow"):
        check_settings(load(*changes))
    check_settings(load(*changes, "prune.mode=regrow"))


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
    recipe = load("finetune.teacher_volume_weight=1.0")
    opened(recipe, tmp_path)
    other = load("finetune.teacher_volume_weight=1.0", "network.name=dispnetc", "network.checkpoint=")
    with pytest.raises(InputError, match=r"^dispnetc: the network has no cost volume"):
        opened(other, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["quantize.budget_bits=9.0"],
            r"quantize\.budget_bits: out of range; found 9; expected 2\.\.8, as the candidates",
        ),
        (["quantize.weight_bits=2", "quantize.candidates=[3, 4]"], r"quantize\.budget_bits: out of range; found 2"),
        (["quantize.candidates=[4, 20]"], "a candidate out of range; found 20"),
    ],
)
def test_an_allocation_is_checked_before_the_stages_that_it_waits_for(
    load: Callable, changes: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_settings(load("quantize.allocation=lagrangian", *changes))
    check_settings(load("quantize.allocation=lagrangian", "quantize.budget_bits=2.5"))
