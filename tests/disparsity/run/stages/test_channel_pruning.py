"""The pattern `channel` in a run: a smaller network comes out, and every later stage takes it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity import pipeline
from disparsity.base.errors import InputError, StoppedError
from disparsity.checkpoint.packed import read_network
from disparsity.checkpoint.restore import open_network, stage_of
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.channels.masks import silence_removed
from disparsity.pruning.channels.sizes import shrunk_layers
from disparsity.pruning.masks import masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.recipe.recipe import load_recipe
from disparsity.report.cost_report import cost_report
from disparsity.run.stages.channel_pruning import finish_channels, start_channels, try_channels
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.difference import DifferenceVolume

CHANGES = ["prune.pattern=channel", "prune.sparsity=0.5", "prune.floor_fraction=0.2"]
TINY = {"halvings": 2, "width": 4, "refinement_width": 2, "max_disparity": 16}
PAIR = torch.rand(1, 3, 16, 32), torch.rand(1, 3, 16, 32)


@pytest.fixture(scope="module")
def run(write_recipe: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the tiny recipe with whole channels."""
    folder = tmp_path_factory.mktemp("channels")
    recipe = load_recipe(write_recipe(folder), CHANGES)
    pipeline.run(recipe, folder / "run")
    return folder / "run"


def weights(network: nn.Module) -> int:
    return sum(p.numel() for name, p in network.named_parameters() if p.dim() > 1)


def test_the_stage_ends_with_a_smaller_plain_network(run: Path) -> None:
    dense = build_network("reference", **TINY)
    small = open_network(str(run / "stages" / "01-prune"), None)
    assert not any(parametrize.is_parametrized(module) for module in small.modules())
    assert shrunk_layers(small)
    assert weights(small) <= 0.55 * weights(dense)
    assert stage_of(small) == "pruned"
    macs = [trace_workload(network, PAIR).dense_macs for network in (small, dense)]
    assert macs[0] < 0.8 * macs[1]


def test_later_stages_cost_and_pack_it(run: Path) -> None:
    small = open_network(str(run / "stages" / "01-prune"), None)
    last = open_network(str(run / "stages" / "04-finetune_quantized"), None)
    assert stage_of(last) == "quantized"
    assert last.downsampling[0].out_channels == small.downsampling[0].out_channels
    report = json.loads((run / "report" / "report.json").read_text())
    assert report["operations"]["effectual_macs"] < 0.8 * report["operations"]["dense_macs"]
    assert report["settings"]["pattern"] == "channel"
    packed = read_network(run / "compressed.h5")
    with torch.no_grad():
        assert torch.equal(packed(*PAIR)[-1], last(*PAIR)[-1])


def test_a_smaller_network_is_costed_against_the_whole_one(run: Path) -> None:
    small = open_network(str(run / "stages" / "01-prune"), None)
    operations = cost_report(small, (16, 32), Machine(profile=load_profile("horowitz45"))).operations
    macs = [trace_workload(network, PAIR).dense_macs for network in (small, build_network("reference", **TINY))]
    assert [operations.effectual_macs, operations.dense_macs] == macs


def test_a_stopped_stage_resumes_to_the_same_bits(
    run: Path, tmp_path: Path, write_recipe: Callable[..., Path], asked_to_stop_at: Callable[[int], None]
) -> None:
    recipe = load_recipe(write_recipe(tmp_path), CHANGES)
    asked_to_stop_at(1)
    with pytest.raises(StoppedError):
        pipeline.run_single(recipe, tmp_path / "run", "prune", None)
    folder = pipeline.run_single(recipe, tmp_path / "run", "prune", None)
    again, first = open_network(str(folder), None), open_network(str(run / "stages" / "01-prune"), None)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), first.state_dict().values(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("score", "mode"), [("obs", "reconstruct"), ("taylor_pass", "frozen"), ("random", "frozen")])
def test_other_scores_and_modes(write_recipe: Callable[..., Path], tmp_path: Path, score: str, mode: str) -> None:
    recipe = load_recipe(write_recipe(tmp_path, score, mode), [*CHANGES, "prune.train.steps=1"])
    small = open_network(str(pipeline.run_single(recipe, tmp_path / "run", "prune", None)), None)
    assert shrunk_layers(small)
    assert masks_of(small) == {}


def prepared() -> StereoNetwork:
    torch.manual_seed(0)
    return build_network("reference", halvings=2, width=4, refinement_width=3, max_disparity=16).eval()


@pytest.mark.parametrize("density", [0.3, 0.6, 1.0])
def test_start_select_finish(density: float) -> None:
    network = prepared()
    layers = prunable_layers(network, network.spec.protected)
    pattern = start_channels(network, layers, 0.0)
    set_masks(network, pattern.select(magnitude_scores(layers), density))
    zero_pruned(network)
    silence_removed(network)
    counted = sum(int(masks_of(network)[name].sum()) for name in layers)
    assert counted <= density * sum(layer.weight.numel() for layer in layers.values())
    expected = network(*PAIR)[-1]
    finish_channels(network, pattern, *PAIR)
    torch.testing.assert_close(network(*PAIR)[-1], expected, rtol=1e-5, atol=1e-5)
    assert sum(network.get_submodule(name).weight.numel() for name in layers) == counted


def test_a_removal_that_changes_the_maps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = prepared()
    pattern = start_channels(network, prunable_layers(network, network.spec.protected), 0.0)

    @torch.no_grad()
    def wrong(module: StereoNetwork) -> None:
        module.get_submodule("refine.7").bias.add_(1.0)

    monkeypatch.setattr(pattern, "remove", wrong)
    with pytest.raises(InputError, match="computes something else"):
        finish_channels(network, pattern, *PAIR)


def test_a_network_without_removable_channels_is_refused() -> None:
    network = prepared()
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d | nn.Conv3d) and name not in network.spec.protected:
            network.set_submodule(name, nn.Sequential(copy.deepcopy(layer), nn.Sigmoid()))
    with pytest.raises(InputError, match="sigmoid at"):
        start_channels(network, prunable_layers(network), 0.0)


def test_mode_regrow_is_refused(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"prune\.mode: mode regrow works on single weights; expected frozen, reconst"):
        load_recipe(write_recipe(tmp_path, mode="regrow"), ["prune.pattern=channel"])


@pytest.mark.parametrize("change", ["prune.scope=per_layer", "prune.floor_per_filter=1.0"])
def test_settings_of_single_weights_are_refused(write_recipe: Callable[..., Path], tmp_path: Path, change: str) -> None:
    with pytest.raises(InputError, match="pattern channel"):
        load_recipe(write_recipe(tmp_path), ["prune.pattern=channel", change])


class Probe(StereoNetwork):
    """A tower with a part that smallest views do not fit, or that does not bear removal."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__(
            NetworkSpec(name="probe", settings={}, divisor=4, mean=(0.5,) * 3, std=(0.25,) * 3, max_disparity=16,
                        protected=("filter",))
        )  # fmt: skip
        self.tower, self.part, self.volume = nn.Conv2d(3, 8, 5, 4, 2), part, DifferenceVolume(4)
        self.filter, self.end = nn.Conv3d(8, 1, 3, padding=1), SoftArgmin()

    def features(self, view: Tensor) -> Tensor:
        features = self.tower(view).relu()
        return features + F.interpolate(self.part(features), size=features.shape[-2:])

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        cost = self.filter(self.volume(self.features(left), self.features(right))).squeeze(1)
        return (F.interpolate(4 * self.end(cost).unsqueeze(1), scale_factor=4.0).squeeze(1),)


class EightChannels(nn.Module):
    """Insists on the width that it was written for."""

    def forward(self, values: Tensor) -> Tensor:
        assert values.shape[1] == 8, "eight channels"
        return values


CROP = torch.rand(2, 3, 64, 96), torch.rand(2, 3, 64, 96)


@pytest.mark.parametrize(
    "part",
    [
        nn.Sequential(nn.AvgPool2d(8, 8), nn.Conv2d(8, 8, 1)),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(8, 8, 5)),
    ],
)
def test_channels_are_followed_on_views_of_the_training(part: nn.Module) -> None:
    network = Probe(part).eval()
    before = copy.deepcopy(network.state_dict())
    try_channels(network, 0.1, 0.5, *CROP)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    layers = prunable_layers(network, network.spec.protected)
    pattern = start_channels(network, layers, 0.1, (64, 96))
    set_masks(network, pattern.select(magnitude_scores(layers), 0.5))
    zero_pruned(network)
    silence_removed(network)
    with torch.no_grad():
        masked = network(*CROP)[0]
        finish_channels(network, pattern, *CROP)
        torch.testing.assert_close(network(*CROP)[0], masked)
    assert network.tower.out_channels < 8


def test_a_removal_that_cannot_work_is_one_line_before_training() -> None:
    network = Probe(nn.Sequential(EightChannels(), nn.Conv2d(8, 8, 1))).eval()
    with pytest.raises(
        InputError, match="does not run without its removed channels; found AssertionError: eight"
    ) as it:
        try_channels(network, 0.1, 0.5, *CROP)
    assert "\n" not in str(it.value)
