"""Scale-Clip: ranges by hand, what happens to sparse weights, and the two modes."""

from __future__ import annotations

import pytest
import torch

from disparsity.quant.quantizers.scale_clip import ScaleClipWeight, clipping, scale_clip_weight
from disparsity.quant.quantizers.settings import PerGroupSettings, ScaleClipSettings


def build(weight: torch.Tensor, bits: int = 4, **settings: object) -> ScaleClipWeight:
    return scale_clip_weight(weight, bits, 0, ScaleClipSettings(**settings))  # type: ignore[arg-type]


def test_ranges_by_hand() -> None:
    weight = torch.tensor([[1.0, 0.0, -3.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [8.0, 0.0, 0.0]])
    per_channel = build(weight).steps().float() * 7
    torch.testing.assert_close(per_channel, torch.tensor([4.0, 7.0, 1.0, 16.0]), rtol=2**-10, atol=0)
    groups = build(weight, granularity=PerGroupSettings(size=3), scale=1.5).steps().float() * 7
    torch.testing.assert_close(groups, torch.tensor([1.65, 1.65, 1.65, 12.0]), rtol=2**-10, atol=0)


@pytest.mark.parametrize("bits", [3, 4, 8])
def test_weights_that_are_uniform_reach_the_end_of_their_range(bits: int) -> None:
    weight = torch.rand(1, 20_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    quantizer = build(weight, bits)
    assert float(quantizer.steps()) * quantizer.levels.high == pytest.approx(1.0, rel=0.02)


def test_repeated_clipping_of_a_sparse_layer_settles() -> None:
    # Over all weights, zeros included, 30 clippings of a 5 % dense layer leave 1e-30 of it.
    weight = torch.randn(1, 20_000, generator=torch.Generator().manual_seed(0))
    weight *= torch.rand(1, 20_000, generator=torch.Generator().manual_seed(1)) < 0.05
    bound = 0.0
    for _ in range(60):
        bound = float(clipping(weight, 2.0))
        weight = weight.clamp(-bound, bound)
    assert bound == pytest.approx(1.45, abs=0.06)
    assert float(clipping(weight, 2.0)) == pytest.approx(bound, rel=1e-4)


def test_steps_follow_the_weights_in_training_only() -> None:
    weight = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    quantizer = build(weight).eval()
    before = quantizer.steps()
    assert torch.equal(quantizer(3 * weight), quantizer(3 * weight))
    assert torch.equal(quantizer.steps(), before)
    quantizer.train()(3 * weight)
    torch.testing.assert_close(quantizer.steps(), 3 * before, rtol=2**-9, atol=0)
    held = quantizer.steps()
    quantizer(torch.zeros_like(weight))
    assert torch.equal(quantizer.steps(), held)


def test_the_gradient_stops_at_the_ends() -> None:
    weight = torch.tensor([[1.0, -1.0, 1.0, -1.0, 6.0]], requires_grad=True)  # mean 2, range 4
    build(weight)(weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1.0, 1.0, 1.0, 1.0, 0.0]]
