"""What the stages cannot treat is refused with the operator and its place; everything in the zoo is accepted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from disparsity.base.errors import InputError
from disparsity.run.supported_operators import check_operators, unsupported_modules
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.spec import NetworkSpec


class Toy(StereoNetwork):
    """One convolution around whatever part is put to the test."""

    def __init__(self, part: nn.Module, step: Callable[..., Tensor], uncompressed: tuple[str, ...] = ()) -> None:
        spec = NetworkSpec(
            name="toy",
            settings={},
            divisor=1,
            mean=(0.0,) * 3,
            std=(1.0,) * 3,
            max_disparity=4,
            protected=(),
            uncompressed=uncompressed,
        )
        super().__init__(spec)
        self.enter = nn.Conv2d(6, 4, 3, padding=1)
        self.part = part
        self.step = step

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        return (self.step(self.part, self.enter(torch.cat([left, right], 1))).mean(1),)


class DeformConv2d(nn.Module):
    """Named as torchvision's layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4, 4, 3, 3))

    def forward(self, values: Tensor) -> Tensor:
        return torch.conv2d(values, self.weight, padding=1)


class Unknown(DeformConv2d):
    """A convolution that is no layer of torch."""


class Scale(nn.Module):
    """One factor per channel."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1, 4, 1, 1))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.factor


def apply(part: nn.Module, values: Tensor) -> Tensor:
    return part(values)


def rows(part: nn.Module, values: Tensor) -> Tensor:
    result = part(values.flatten(2).transpose(1, 2))[0]
    return result.transpose(1, 2).unflatten(2, values.shape[-2:])


def cell(part: nn.Module, values: Tensor) -> Tensor:
    flat = values.movedim(1, -1)
    return part(flat.flatten(0, 2)).view(flat.shape).movedim(-1, 1)


def cells(part: nn.Module, values: Tensor) -> Tensor:
    for each in part:
        values = cell(each, values)
    return values


def attention(part: nn.Module, values: Tensor) -> Tensor:
    rows = values.flatten(2).transpose(1, 2)
    return part(rows, rows, rows)[0].transpose(1, 2).unflatten(2, values.shape[-2:])


def updates(part: nn.Module, values: Tensor) -> Tensor:
    state = values
    for _ in range(3):
        state = state + part(state).tanh()
    return state


def in_place_updates(part: nn.Module, values: Tensor) -> Tensor:
    state = torch.zeros_like(values)
    for index in range(2):
        state[..., index:] = part(state)[..., index:]
    return state


def by_value(part: nn.Module, values: Tensor) -> Tensor:
    parts = [part(values) for _ in range(1 + int(values.std(dim=(2, 3)).mean() > 0.001))]
    return torch.stack(parts).sum(0)


def twice(part: nn.Module, values: Tensor) -> Tensor:
    return part(values) + part(values.flip(-1))


def pair() -> tuple[Tensor, Tensor]:
    return torch.rand(1, 3, 6, 8), torch.rand(1, 3, 6, 8)


@pytest.mark.parametrize(
    ("part", "step", "message"),
    [
        (nn.GRU(4, 4, batch_first=True), rows, r"recurrent layer at part \(GRU\)"),
        (nn.LSTM(4, 4, batch_first=True), rows, r"recurrent layer at part \(LSTM\)"),
        (nn.GRUCell(4, 4), cell, r"recurrent layer at part \(GRUCell\)"),
        (nn.RNNCell(4, 4), cell, r"recurrent layer at part \(RNNCell\)"),
        (DeformConv2d(), apply, r"deformable convolution at part \(DeformConv2d\)"),
        (Unknown(), apply, r"weight 'weight' of a layer of unknown kind at part \(Unknown\)"),
        (
            nn.MultiheadAttention(4, 2, batch_first=True),
            attention,
            r"weight 'in_proj_weight' of a layer of unknown kind at part ",
        ),
        (nn.Conv2d(4, 4, 1), updates, r"recurrent update at part \(Conv2d, reads what it has written\)"),
        (nn.Conv2d(4, 4, 1), in_place_updates, r"recurrent update at part \(Conv2d"),
        (nn.Conv2d(4, 4, 1), by_value, r"a layer called 2 or 1 times at part"),
        (parametrizations.weight_norm(nn.Conv2d(4, 4, 1)), apply, r"reparametrized weight at part "),
    ],
)
def test_the_operator_and_its_place_are_named(part: nn.Module, step: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_operators(Toy(part, step), *pair())
    assert str(caught.value).startswith("toy: the network cannot be pruned and quantized; found")
    assert "`uncompressed`" in str(caught.value)
    check_operators(Toy(copy.deepcopy(part), step, ("part",)), *pair())


def test_shared_weights_are_refused() -> None:
    first, second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
    second.weight = first.weight
    network = Toy(nn.Sequential(first, second), apply)
    assert unsupported_modules(network) == ["a weight shared with part.0 at part.1"]


@pytest.mark.parametrize(
    ("part", "step"),
    [
        (nn.Conv2d(4, 4, 3, padding=1), twice),
        (nn.Conv2d(4, 4, 3, padding=1, groups=4), apply),
        (nn.Sequential(nn.PReLU(4), nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True)), apply),
        (Scale(), apply),
    ],
)
def test_what_the_stages_treat_is_accepted(part: nn.Module, step: Any) -> None:
    network = Toy(part, step)
    before = copy.deepcopy(network.state_dict())
    check_operators(network, *pair())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert network.training
    assert not network.part._forward_hooks


class Left(nn.Module):
    """Modules of which only one runs, and a weight that is read without its layer."""

    def __init__(self, step: Callable[[Left, Tensor], Tensor]) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(4, 32, 3), nn.GRU(4, 4))
        self.used, self.lone, self.step = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), step

    def forward(self, values: Tensor) -> Tensor:
        return self.step(self, self.used(values))


def test_modules_that_never_run_are_left_out_whatever_they_hold() -> None:
    network = Toy(Left(lambda part, values: values), apply)
    check_operators(network, *pair())
    assert network.spec.unused == ("part.head", "part.lone")
    assert not network.spec.compresses("part.head.0")
    assert network.spec.compresses("part.used")


def test_a_weight_without_its_layer_is_refused() -> None:
    network = Toy(Left(lambda part, values: torch.conv2d(values, part.lone.weight)), apply)
    with pytest.raises(InputError, match=r"a weight used without its layer at part\.lone"):
        check_operators(network, *pair())


class TensorflowPadding(nn.Conv2d):
    def forward(self, values: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(values, (0, 1, 0, 1)))


def test_a_layer_with_a_forward_pass_of_its_own_is_refused_and_named() -> None:
    network = Toy(TensorflowPadding(4, 4, 2), apply)
    with pytest.raises(InputError, match=r"a forward pass of its own at part \(TensorflowPadding\)"):
        check_operators(network, *pair())
    check_operators(Toy(TensorflowPadding(4, 4, 2), apply, ("part",)), *pair())


def test_many_findings_are_cut_short() -> None:
    with pytest.raises(InputError, match=r"part\.4 \(GRUCell\) and 2 more"):
        check_operators(Toy(nn.ModuleList(nn.GRUCell(4, 4) for _ in range(7)), cells), *pair())


def test_a_layer_called_by_values_is_run_twice_and_others_once() -> None:
    runs = []

    def counted(part: nn.Module, values: Tensor) -> Tensor:
        runs.append(values.device.type)
        return part(values)

    check_operators(Toy(nn.Conv2d(4, 4, 1), counted), *pair())
    assert runs == ["meta"]


def test_the_reference_network_is_accepted() -> None:
    network = build_network("reference", width=4, refinement_width=4, max_disparity=16)
    check_operators(network, *torch.rand(2, 1, 3, 16, 24))
