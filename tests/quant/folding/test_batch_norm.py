from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.batch_norm import fold_batchnorm, fold_named, fold_pairs, folded_pairs

LAYERS = [
    (nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), (2, 4, 9)),
    (nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), (2, 4, 7, 8)),
    (nn.Conv2d(4, 6, 3, groups=2, bias=False), nn.BatchNorm2d(6), (2, 4, 7, 8)),
    (nn.Conv3d(4, 6, 3, bias=False), nn.BatchNorm3d(6), (2, 4, 5, 6, 7)),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, bias=False), nn.BatchNorm2d(6), (2, 4, 5, 6)),
    (nn.ConvTranspose2d(4, 6, 3, groups=2), nn.BatchNorm2d(6, affine=False), (2, 4, 5, 6)),
    (nn.ConvTranspose3d(4, 6, 3, stride=2, groups=2, bias=False), nn.BatchNorm3d(6), (1, 4, 3, 4, 5)),
    (nn.Linear(4, 6), nn.BatchNorm1d(6), (5, 4)),
]


def randomized(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.2, 3)
            if module.affine:
                nn.init.uniform_(module.weight, -2, 2)
                nn.init.uniform_(module.bias, -1, 1)
    return network.eval()


@pytest.mark.parametrize(("layer", "norm", "shape"), LAYERS)
def test_outputs_and_masked_zeros_stay(layer, norm, shape, masked) -> None:
    torch.manual_seed(0)
    network = randomized(copy.deepcopy(nn.Sequential(layer, norm, nn.ReLU())))
    masks = masked(network)
    inputs = torch.randn(shape)
    expected = network(inputs)
    assert fold_batchnorm(network, (inputs,)) == [("0", "1")] == folded_pairs(network)
    torch.testing.assert_close(network(inputs), expected, rtol=1e-5, atol=1e-5)
    assert bool((network[0].weight[~masks["0"]] == 0).all())
    assert isinstance(network[1], nn.Identity)


def test_siamese_network_defined_out_of_order(toy, pair, masked) -> None:
    masked(toy)
    expected = toy(*pair)
    pairs = fold_batchnorm(toy, pair)
    assert pairs == [("features.0", "features.1"), ("filter.0", "filter.1"), ("up", "up_norm")]
    torch.testing.assert_close(toy(*pair), expected, rtol=1e-5, atol=1e-5)


def test_named_pairs_fold_to_the_same_bits(toy, pair) -> None:
    again = copy.deepcopy(toy)
    pairs = fold_batchnorm(toy, pair)
    fold_named(again, pairs)
    assert folded_pairs(again) == folded_pairs(toy)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in toy.state_dict().items())


def test_modes_are_restored_and_statistics_untouched(toy, pair) -> None:
    toy.train()
    toy.score.eval()
    fold_batchnorm(toy, pair)
    assert toy.training
    assert toy.up.training
    assert not toy.score.training


class PreActivation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        stem = self.stem(image)
        return stem + self.conv(self.norm(stem).relu())


class ReturnsBoth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.conv(image)
        return features, self.norm(features)


class SharedNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.a(image)) + self.norm(self.b(image))


class TwoNorms(nn.Module):
    """One convolution for both views, a BatchNorm for each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.left = nn.BatchNorm2d(4)
        self.right = nn.BatchNorm2d(4)

    def forward(self, image: Tensor) -> Tensor:
        return self.left(self.conv(image)) + self.right(self.conv(image))


class TiedWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 3, 1)
        self.b = nn.Conv2d(3, 3, 1)
        self.b.weight = self.a.weight
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image: Tensor) -> Tensor:
        return self.b(self.norm(self.a(image)))


class NoStatistics(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.conv(image))


@pytest.mark.parametrize("kind", [PreActivation, ReturnsBoth, SharedNorm, TwoNorms, TiedWeights, NoStatistics])
def test_networks_that_cannot_be_folded_are_left_alone(kind) -> None:
    network = kind().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert fold_batchnorm(network, (torch.rand(1, 3, 4, 4),)) == []
    assert list(network.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


class PreActivationChain(nn.Module):
    """Units of BatchNorm, ReLU and convolution, one behind a pooling and one behind a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.units = nn.Sequential(self.unit(4, 6), self.unit(6, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(2), self.unit(5, 5), self.unit(5, 5))
        self.merged = nn.Sequential(self.unit(10, 4), self.unit(4, 1))

    @staticmethod
    def unit(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))

    def forward(self, image: Tensor) -> Tensor:
        fine = self.units(self.stem(image))
        coarse = nn.functional.interpolate(self.pooled(fine), scale_factor=2.0)
        return self.merged(torch.cat([fine, coarse], dim=1))


def test_pre_activation_units_fold_backwards_as_far_as_they_can() -> None:
    torch.manual_seed(0)
    network = randomized(PreActivationChain())
    image = torch.randn(2, 3, 8, 8)
    expected = network(image)
    pairs = fold_batchnorm(network, (image,))
    assert pairs == [
        ("stem", "units.0.0"),
        ("units.0.2", "units.1.0"),
        ("pooled.1.2", "pooled.2.0"),
        ("merged.0.2", "merged.1.0"),
    ]
    torch.testing.assert_close(network(image), expected, rtol=1e-5, atol=1e-5)
    left = [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert left == ["pooled.1.0", "merged.0.0"]


def test_structure_is_rebuilt_from_names(toy, pair, masked) -> None:
    fresh = copy.deepcopy(toy)
    pairs = fold_batchnorm(toy, pair)
    fold_pairs(fresh, pairs)
    masked(toy)
    masked(fresh)
    fresh.load_state_dict(toy.state_dict())
    assert torch.equal(fresh(*pair), toy(*pair))
    assert folded_pairs(fresh) == folded_pairs(copy.deepcopy(toy)) == pairs


@pytest.mark.parametrize("names", [("nowhere", "up_norm"), ("up", "nowhere"), ("up", "score")])
def test_wrong_names_are_refused_before_anything_changes(toy, names) -> None:
    with pytest.raises(InputError, match="the folding names"):
        fold_pairs(toy, [("filter.0", "filter.1"), names])
    assert isinstance(toy.filter[1], nn.BatchNorm3d)


def test_quantized_weights_are_refused(toy, pair) -> None:
    attach_quantizers(toy, {"up": LayerBits(weights=4, activations=32)})
    weight = toy.up.weight.detach().clone()
    with pytest.raises(InputError, match="up: the weight does not scale"):
        fold_batchnorm(toy, pair)
    assert torch.equal(toy.up.weight, weight)
    assert "up" in quantizable_layers(toy)
