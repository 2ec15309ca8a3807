"""Weights as products of integer factors: exactness, what bits bring, both sides, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.quant.quantizers.settings import TransformSettings, UniformSettings
from disparsity.quant.quantizers.transform import TransformWeight, transform_weight
from disparsity.quant.quantizers.uniform import uniform_weight

SHAPES = [((6, 4, 3, 3), 0), ((4, 3, 3, 3, 3), 0), ((4, 6, 3, 3, 3), 1), ((5, 7), 0), ((3, 1, 3, 3), 0)]


def correlated(shape: tuple[int, ...], axis: int, seed: int = 0) -> Tensor:
    """A weight whose channels along an axis resemble each other."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=generator)
    mix = torch.randn(shape[axis], shape[axis], generator=generator) * torch.logspace(0, -1.5, shape[axis])
    return torch.movedim(torch.tensordot(mix, weight, dims=([1], [axis])), 0, axis)  # type: ignore[no-untyped-call]


def build(weight: Tensor, bits: int, axis: int = 0, **settings: object) -> TransformWeight:
    return transform_weight(weight, bits, axis, TransformSettings(**settings)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("side", ["row", "column"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_the_weight_is_the_exact_product_of_its_factors(shape: tuple[int, ...], axis: int, side: str) -> None:
    weight = correlated(shape, axis)
    quantizer = build(weight, 4, axis, side=side)
    mixed = axis if side == "column" else 1 - axis
    assert quantizer.mixing.shape == (shape[mixed], shape[mixed])
    codes = quantizer.codes.movedim(mixed, 0).flatten(1).tolist()
    expected = [
        [
            sum(s * row[j] * 2.0**e for s, row, e in zip(line, codes, quantizer.exponents.tolist(), strict=True))
            for j in range(len(codes[0]))
        ]
        for line in quantizer.mixing.tolist()
    ]
    assert torch.equal(quantizer(weight).movedim(mixed, 0).flatten(1), torch.tensor(expected))
    assert float(quantizer.row_bits.double().mean()) <= 4


@pytest.mark.parametrize("side", ["row", "column"])
def test_more_bits_come_closer_and_the_transform_beats_none(side: str) -> None:
    weight = correlated((16, 16, 3, 3), 0 if side == "column" else 1)
    errors = [float((build(weight, b, side=side)(weight) - weight).square().sum()) for b in range(1, 9)]
    assert errors == sorted(errors, reverse=True)
    for bits in (3, 4, 5):
        plain = uniform_weight(weight, bits, 0, UniformSettings())(weight)
        assert errors[bits - 1] < 0.7 * float((plain - weight).square().sum())


def test_training_computes_the_factors_anew_and_passes_gradients_straight() -> None:
    weight = correlated((6, 5, 3, 3), 0).requires_grad_()
    quantizer = build(weight.detach(), 6)
    held = quantizer(weight).detach()
    moved = (weight.detach() * 0.9).requires_grad_()
    assert torch.equal(quantizer(moved).detach(), held)
    quantized = quantizer.train()(moved)
    assert float((quantized - moved).detach().norm() / moved.detach().norm()) < 0.1
    quantized.sum().backward()
    assert moved.grad is not None
    assert bool((moved.grad == 1).all())
    assert torch.equal(quantizer.eval()(weight).detach(), quantized.detach())


def test_stored_factors_give_the_same_weight_and_can_be_trained_again() -> None:
    weight = correlated((8, 5, 3, 3), 0)
    quantizer = build(weight, 3)
    other = transform_weight(weight, 3, 0, TransformSettings(), False)
    other.restore(quantizer.codes, quantizer.exponents, quantizer.mixing)
    assert torch.equal(other.eval()(weight), quantizer(weight))
    again = other.train()(quantizer(weight))
    torch.testing.assert_close(again, quantizer(weight), rtol=0, atol=1e-5)


def test_steps_that_are_far_apart_stay_exact() -> None:
    weight = (
        torch.randn(4, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e3, 1.0, 1e-3, 1e-6])[:, None]
    )
    quantizer = build(weight, 8, side="column")
    used = quantizer.exponents[quantizer.row_bits > 0]
    assert int(used.max()) - int(used.min()) <= 24


def test_degenerate_weights() -> None:
    assert not bool(build(torch.zeros(3, 4), 4)(torch.zeros(3, 4)).any())
    constant = torch.full((3, 4), 0.25)
    torch.testing.assert_close(build(constant, 8)(constant), constant, rtol=0.02, atol=0)
    with pytest.raises(InputError, match="not finite"):
        build(torch.tensor([[1.0, float("inf")]]), 4)
    with pytest.raises(InputError, match="does not keep zeros; found 1 pruned weights"):
        build(torch.tensor([[1.0, 0.0]]), 4)


def test_there_are_no_integer_weights() -> None:
    quantizer = build(torch.ones(2, 2), 4)
    for refused in (quantizer.steps, lambda: quantizer.set_steps(torch.ones(2))):
        with pytest.raises(InputError, match="no integers times steps"):
            refused()
