"""Contract of a user's network: what works goes through, what cannot work is one line before a folder is made."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.base.trace.dry_run import trace_network
from disparsity.datasets.batches.stream import stack
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.checks import check_files
from disparsity.run.context import open_context
from disparsity.run.network_contract import check_training_step
from disparsity.stereo.networks import build_network

numbers = itertools.count()


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the module with the users' networks, fresh for every test."""
    name = f"own_networks_{next(numbers)}"
    (tmp_path / f"{name}.py").write_text((Path(__file__).parent / "own_networks.py").read_text())
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def check(networks: str, write_recipe: Callable[..., Path], tmp_path: Path) -> Callable[..., None]:
    """Takes a network to where a run makes its folder, and asserts that there is none yet."""

    def take(network: str, *changes: str) -> None:
        names = [f"network.name={networks}:{network}", "network.checkpoint="]
        recipe: Recipe = load_recipe(write_recipe(tmp_path), [*names, *changes])
        try:
            context = open_context(recipe, tmp_path / "run", StopRequest())
            check_files(context, context.dense)
        finally:
            assert not (tmp_path / "run").exists()

    return take


@pytest.mark.parametrize("network", ["Plain", "Keyword", "Cached", "Lru", "ClassKept", "Numpy", "TwoNames"])
def test_what_works_is_taken(check: Callable[..., None], network: str) -> None:
    check(network)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("NumpyOut", r"no gradient reaches the network's parameters; does forward leave torch \(NumPy"),
        ("NumpyGradient", r"the network fails; found RuntimeError: Can't call numpy\(\).*, at .*own_networks_\d+\.py:"),
        ("NoGradient", "no gradient reaches"),
        ("ManyMaps", r"more disparity maps than loss weights; found 2 maps in training mode, loss_weights = \(1\.0,\)"),
        ("ManyMapsAlways", "more disparity maps than loss weights; found 3 maps in eval mode"),
        ("Frozen", "nothing in the network is trainable"),
        ("Fails", r"the network fails; found KeyError: 'no such thing', at .*own_networks_\d+\.py:"),
        ("FailsInTraining", r"the network fails; found AssertionError: two lines, at "),
        ("OtherSettings", r"the network cannot be built; found TypeError: .*'width'"),
        ("RandomWidth", r"built again with \{\} it is another network; found 'network\.more\.weight'"),
        ("same", "every call gives the same object"),
        ("ChangedInPlace", "the network cannot be trained; found RuntimeError: one of the variables needed"),
        ("Keeps", "the network cannot be copied; .*; keep no locks, files or results of forward as attributes"),
        ("Locks", "the network cannot be copied; found TypeError: cannot pickle '_thread.lock'"),
        ("ExtraState", r"a checkpoint holds tensors only; found 'network\._extra_state'"),
        ("NoLayers", "no layer to compress; found 0 layers"),
        ("Dictionary", r"the network returns no disparity maps; found \['dict'\]"),
        ("MoreArguments", "the network fails; found TypeError: .*'iterations'"),
        (
            "Direct",
            r"a weight is used without calling its layer; found network\.mid\.weight in convolution at ",
        ),
        ("Functional", r"a weight is used without calling its layer; found network\.mid\.weight"),
        ("Strides", r"a layer is changed by the network's forward; found network\.body with stride \(1, 1\)"),
    ],
)
def test_what_cannot_work_is_one_line(check: Callable[..., None], network: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^own_networks_\d+:{network}: {message}") as caught:
        check(network)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_sizes_of_test_pairs_and_of_the_report_are_tried(check: Callable[..., None]) -> None:
    check("OneSize")
    for change in ('data.test=["synthetic:?pairs=1&size=48x96&max_disparity=16"]', "report.size=48x96"):
        with pytest.raises(InputError, match="the network fails; found RuntimeError: The size of tensor"):
            check("OneSize", change)


@pytest.mark.parametrize("network", ["Cached", "Lru", "ClassKept"])
def test_a_trace_leaves_no_constants_without_values(networks: str, network: str) -> None:
    built = build_network(f"{networks}:{network}").eval()
    views = torch.rand(2, 1, 3, 24, 40).unbind()
    assert trace_network(built, views).computed
    with torch.no_grad():
        assert bool(built(*views)[-1].isfinite().all())
    assert not trace_network(build_network(f"{networks}:Plain"), views).computed


def test_trying_a_step_leaves_the_network_as_it_was(networks: str) -> None:
    network = build_network(f"{networks}:Plain")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    check_training_step(network, stack([open_data("synthetic:?pairs=1&size=32x64&max_disparity=16")[0]]))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
