"""Output sensitivity against the Jacobian that autograd computes entry by entry."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.pruning.sensitivity import output_sensitivity


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Tanh(), nn.Conv2d(3, 1, 3, padding=1))


def exact(model: nn.Sequential, inputs: Tensor) -> Tensor:
    inner = model[0](inputs).detach()
    jacobian = torch.autograd.functional.jacobian(lambda hidden: model[1:](hidden).flatten(), inner)
    return jacobian.square().sum(dim=(0, 1, 3, 4))  # [outputs, B, C, H, W] to [C]


def test_mean_over_probes_approaches_the_squared_jacobian() -> None:
    model = network().eval()
    inputs = torch.randn(1, 1, 4, 5)
    found = output_sensitivity(model, ["0"], lambda net, _probe: [net(inputs)], 2000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found["0"], exact(model, inputs), rtol=0.1, atol=0.0)


def test_last_layer_has_sensitivity_one_per_output_and_unused_layers_zero() -> None:
    model = network()
    model.add_module("spare", nn.Conv2d(1, 2, 1))
    inputs = torch.randn(2, 1, 4, 5)

    def outputs(net: nn.Module, _probe: int) -> list[Tensor]:
        spare = net.get_submodule("spare")(inputs)
        return [nn.Sequential(*list(net.children())[:4])(inputs) + 0 * spare.sum().detach()]

    found = output_sensitivity(model, ["3", "spare"], outputs, 300, torch.Generator().manual_seed(1))
    torch.testing.assert_close(found["3"], torch.tensor([40.0]), rtol=0.05, atol=0.0)
    assert found["spare"].tolist() == [0.0, 0.0]


def test_network_is_left_as_it_was_and_the_seed_decides() -> None:
    model = network().train()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inputs = torch.randn(2, 1, 4, 5)
    first, second = (
        output_sensitivity(model, ["0"], lambda net, _: [net(inputs)], 3, torch.Generator().manual_seed(2))
        for _ in range(2)
    )
    assert torch.equal(first["0"], second["0"])
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    assert not model[0]._forward_hooks
