"""Two processes that hold the same part: BatchNorm must be torch's over the part taken twice."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base import distributed
from disparsity.finetune.shared_norm import shared_statistics


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that another process holds the same tensors: every average is the tensor itself."""
    monkeypatch.setattr(distributed, "processes", lambda: 2)
    monkeypatch.setattr(distributed, "average", lambda tensors: None)


@pytest.mark.usefixtures("twins")
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(("kind", "shape"), [(nn.BatchNorm2d, (2, 3, 4, 5)), (nn.BatchNorm3d, (2, 3, 2, 4, 3))])
def test_outputs_gradients_and_statistics_are_those_of_both_parts(kind, shape, momentum) -> None:
    generator = torch.Generator().manual_seed(0)
    shared, plain = kind(3, momentum=momentum), kind(3, momentum=momentum)
    for norm in (shared, plain):
        norm.weight.data = torch.tensor([0.5, 2.0, -1.0])
        norm.bias.data = torch.tensor([0.1, 0.0, 1.0])
    part = torch.randn(shape, generator=generator) * 3 + 1
    weights = torch.randn(shape, generator=generator)
    one, both = part.clone().requires_grad_(), torch.cat([part, part]).requires_grad_()
    with shared_statistics(nn.Sequential(shared)):
        found = shared(one)
        (found * weights).sum().backward()
    expected = plain(both)
    (expected * torch.cat([weights, weights])).sum().backward()
    assert torch.allclose(found, expected[: len(part)], atol=1e-5)
    assert torch.allclose(one.grad, both.grad[: len(part)], atol=1e-5)
    assert torch.allclose(shared.weight.grad, plain.weight.grad / 2, atol=1e-4)  # each process has its part's share
    assert torch.allclose(shared.bias.grad, plain.bias.grad / 2, atol=1e-4)
    assert torch.allclose(shared.running_mean, plain.running_mean, atol=1e-6)
    assert torch.allclose(shared.running_var, plain.running_var, atol=1e-5)
    assert shared.num_batches_tracked == plain.num_batches_tracked


@pytest.mark.usefixtures("twins")
def test_eval_mode_uses_the_running_statistics() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2)).eval()
    values = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = network(values)
    with shared_statistics(network):
        assert torch.equal(network(values), expected)


def test_alone_and_afterwards_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    norm = nn.BatchNorm2d(2)
    with shared_statistics(norm):
        assert "forward" not in vars(norm)
    monkeypatch.setattr(distributed, "processes", lambda: 2)
    with shared_statistics(norm):
        assert "forward" in vars(norm)
    assert "forward" not in vars(norm)
