"""Which layers compute sparsely, and that switching back leaves no trace."""

import torch
from torch import nn

from disparsity.finetune.sparse.switch import switch_off, switch_on
from disparsity.pruning.masks import attach_masks, mask_modules, set_masks


def pruned_network(density: float) -> nn.Sequential:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1, groups=2),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(8, 8, 3, padding="same"),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.Conv2d(4, 2, 1),
    )
    names = [str(number) for number in range(6)]
    attach_masks(network, names)
    generator = torch.Generator().manual_seed(0)
    weights = {name: network.get_submodule(name).weight for name in names}
    set_masks(network, {name: torch.rand(w.shape, generator=generator) < density for name, w in weights.items()})
    return network


def test_only_plain_convolutions_below_the_density_are_switched() -> None:
    network = pruned_network(0.2)
    assert switch_on(network) == ["0", "5"]
    switch_off(network)
    assert switch_on(network, most=0.0) == []


def test_a_narrow_layer_is_switched_although_it_is_dense() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 1, 3), nn.Conv2d(1, 3, 3), nn.Conv2d(3, 4, 3))
    assert switch_on(network) == ["1", "2"]


def test_the_network_computes_the_same() -> None:
    network = pruned_network(0.2)
    inputs = torch.randn(1, 3, 9, 10, generator=torch.Generator().manual_seed(1))
    dense = network(inputs)
    switch_on(network)
    sparse = network(inputs)
    switch_off(network)
    torch.testing.assert_close(sparse, dense, rtol=1e-5, atol=1e-5)
    assert torch.equal(network(inputs), dense)
    assert not any("_conv_forward" in vars(module) for module in network.modules())


def test_masks_that_pass_gradients_stay_dense() -> None:
    network = pruned_network(0.2)
    mask_modules(network)["0"].straight_through = True
    assert switch_on(network) == ["5"]
    switch_off(network)


def test_it_stays_in_float32_under_autocast() -> None:
    network = pruned_network(0.2)
    switch_on(network)
    with torch.autocast("cpu", torch.bfloat16):
        assert network[0](torch.ones(1, 3, 4, 4)).dtype == torch.float32
    switch_off(network)
