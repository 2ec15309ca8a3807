"""Networks of a user's own: built by name, held to the contract, restored only when the user has named them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.checkpoint.checkpoints import SIDE_FILE, save_checkpoint
from disparsity.checkpoint.packed import read_network, write_network
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.cli import main
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.users import check_written, is_user_network, remember_written

SOURCE = '''
import torch
from torch import nn
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.spec import NetworkSpec


def spec(**more):
    values = dict(name="whatever", settings={"width": 3}, divisor=4, mean=(0.5,) * 3, std=(0.25,) * 3,
                  max_disparity=8, protected=("head",))
    return NetworkSpec(**{**values, **more})


class Plain(nn.Module):
    """No base class of ours."""

    def __init__(self, width=3, **more):
        super().__init__()
        self.spec = spec(**{"settings": {"width": width}, **more})
        self.body = nn.Conv2d(6, width, 3, padding=1)
        self.head = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, left, right):
        self.seen = left
        return self.head(self.body(torch.cat([left, right], 1)).relu()).squeeze(1)


class Ours(StereoNetwork):
    def __init__(self, **changes):
        super().__init__(spec(settings={}, protected=()))
        self.body = nn.Conv2d(6, 1, 3, padding=1)

    def estimate(self, left, right):
        return (self.body(torch.cat([left, right], 1)).squeeze(1),)


class ColumnsLost(Plain):
    def forward(self, left, right):
        return super().forward(left, right)[..., 1:]


class Nothing(Plain):
    def forward(self, left, right):
        return None


def bare(): return nn.Conv2d(1, 1, 1)
def number(): return 3
def stranger(): return Plain(protected=("nowhere",))
def undivided(): return Plain(divisor=0)
def failing(): raise RuntimeError("two\\nlines")
nothing = None
'''

numbers = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a module under a name that no other test has; gives that name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source: str = SOURCE) -> str:
        name = f"own_network_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        return name

    return write


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("a:b", True), ("a.b_1:C", True), ("stereonet", False), ("builtin:reference", False), ("a:b:c", False)),
        *(("C:\\x", False), ("a/b:c", False), ("a:b()", False), ("", False), (":b", False), ("1a:b", False)),
    ],
)
def test_which_names_are_meant(name: str, expected: bool) -> None:
    assert is_user_network(name) == expected


@torch.no_grad()
def test_a_plain_module_gets_preprocessing_and_padding(module: Callable[..., str]) -> None:
    name = f"{module()}:Plain"
    network = build_network(name, width=5).eval()
    left, right = torch.rand(2, 2, 3, 6, 9)
    (disparity,) = network(left, right)
    assert disparity.shape == (2, 6, 9)
    assert network.network.seen.shape == (2, 3, 8, 12)
    torch.testing.assert_close(network.network.seen[..., 2:, :9], (left - 0.5) / 0.25)
    assert network.spec.name == name
    assert network.spec.settings == {"width": 5}
    assert network.spec.protected == ("network.head",)


def test_a_network_of_ours_is_taken_as_it_is(module: Callable[..., str]) -> None:
    name = f"{module()}:Ours"
    network = build_network(name)
    assert type(network).__name__ == "Ours"
    assert network.spec.name == name


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("bare", r"not a stereo network; found Conv2d with a spec of type NoneType; expected a StereoNetwork, or"),
        ("number", r"not a stereo network; found int"),
        ("stranger", r"names layers that the network does not have; found \['network.nowhere'\]"),
        ("undivided", r"impossible spec"),
        ("failing", r"cannot be built; found RuntimeError: two lines"),
        ("nothing", r"has no callable 'nothing'"),
        ("missing", r"has no callable 'missing'"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused(module: Callable[..., str], function: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        build_network(f"{module()}:{function}")
    assert "\n" not in str(caught.value)


def test_unknown_settings_are_refused(module: Callable[..., str]) -> None:
    with pytest.raises(InputError, match=r"cannot be built; found TypeError: .*colour"):
        build_network(f"{module()}:Plain", colour=3)


@pytest.mark.parametrize(("kind", "found"), [("ColumnsLost", r"\[\(1, 8, 7\)\]"), ("Nothing", "NoneType")])
def test_maps_of_another_shape_are_refused(module: Callable[..., str], kind: str, found: str) -> None:
    network = build_network(f"{module()}:{kind}")
    with pytest.raises(InputError, match=rf"returns no disparity maps; found .*{found}.*expected maps \(1, 8, 8\)"):
        network(*torch.rand(2, 1, 3, 8, 8))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_package_here", r"found ModuleNotFoundError: No module named 'no_such_package_here'$"),
        ("x = = 1", r"found SyntaxError: "),
        ("raise ValueError('at import')", r"found ValueError: at import$"),
        ("raise SystemExit(0)", r"found SystemExit"),
    ],
)
def test_import_errors_become_one_line(module: Callable[..., str], source: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"cannot import own_network_\d+; {message}"):
        build_network(f"{module(source)}:build")


def test_a_module_that_is_not_there_names_the_remedy() -> None:
    with pytest.raises(InputError, match=r"cannot import gone_away; .*put the folder that holds it on PYTHONPATH"):
        build_network("gone_away:build")


def test_a_checkpoint_restores_for_whoever_names_its_network(module: Callable[..., str], tmp_path: Path) -> None:
    name = f"{module()}:Plain"
    network = build_network(name, width=4).eval()
    save_checkpoint(tmp_path / "saved" / SIDE_FILE, network_checkpoint(network, {}))
    write_network(tmp_path / "packed.h5", network)
    for read in (lambda: open_network(str(tmp_path / "saved"), None), lambda: read_network(tmp_path / "packed.h5")):
        with pytest.raises(InputError, match=rf"code is not trusted yet; found {name}; .*add --network {name}"):
            read()
    again = open_network(str(tmp_path / "saved"), name)
    pair = torch.rand(2, 1, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(again(*pair)[0], network(*pair)[0])
        assert torch.equal(read_network(tmp_path / "packed.h5")(*pair)[0], network(*pair)[0])


def test_a_checkpoint_cannot_choose_code() -> None:
    for name in ("os:system", "subprocess:Popen"):
        with pytest.raises(InputError, match="code is not trusted yet"):
            check_written(name)
    check_written("stereonet")
    remember_written("json:loads")
    check_written("json:loads")


def test_weights_of_the_bare_module_load_by_its_own_names(module: Callable[..., str], tmp_path: Path) -> None:
    name = f"{module()}:Plain"
    state = build_network(name).network.state_dict()
    torch.save({"state_dict": state}, tmp_path / "own.pth")
    loaded = open_network(str(tmp_path / "own.pth"), name)
    assert all(torch.equal(loaded.network.state_dict()[key], value) for key, value in state.items())


def test_commands_take_it(module: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{module()}:Plain"
    assert main(["cost", name, "--size", "8x12"]) == 0
    assert name in capsys.readouterr().out
    save_checkpoint(tmp_path / "saved" / SIDE_FILE, network_checkpoint(build_network(name).eval(), {}))
    packed, restored = tmp_path / "packed.h5", tmp_path / "restored"
    assert main(["export", str(tmp_path / "saved"), "--network", name, "--format", "packed", "--out", str(packed)]) == 0
    assert main(["import", str(packed), "--network", name, "--out", str(restored)]) == 0
    assert (restored / SIDE_FILE).is_file()
