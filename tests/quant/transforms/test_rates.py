"""Bits and steps of rows against exhaustive searches and the classic rate law."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.transforms.rates import best_exponents, choose_grids


def rows_of(*scales: float, count: int = 400, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(scales), count, generator=generator, dtype=torch.float64) * torch.tensor(scales)[:, None]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_steps_are_the_best_powers_of_two(bits: int) -> None:
    rows = rows_of(1.0, 0.03, 70.0)
    exponents, errors = best_exponents(rows, bits)
    for row, exponent, error in zip(rows, exponents.tolist(), errors.tolist(), strict=True):
        tried = {e: float((Levels(bits).nearest(row / 2.0**e) * 2.0**e - row).square().sum()) for e in range(-20, 12)}
        assert tried[exponent] == min(tried.values()) == pytest.approx(error)


def test_the_bits_are_the_best_of_all_that_cost_as_much() -> None:
    rows, sensitivities = rows_of(4.0, 1.0, 0.1), torch.tensor([1.0, 3.0, 1.0])
    found = choose_grids(rows, sensitivities, 3.0)

    def cost(bits: tuple[int, ...]) -> float:
        errors = [
            best_exponents(row[None], b)[1] if b else row.square().sum()[None]
            for row, b in zip(rows, bits, strict=True)
        ]
        return float((torch.cat(errors) * sensitivities).sum())

    spent = int(found.bits.sum())
    assert spent <= 9
    same = [bits for bits in itertools.product(range(9), repeat=3) if sum(bits) == spent]
    assert cost(tuple(found.bits.tolist())) == pytest.approx(min(map(cost, same)))


def test_twice_the_scale_gets_one_bit_more() -> None:
    found = choose_grids(rows_of(8.0, 4.0, 2.0, 1.0, count=4000), torch.ones(4), 5.0)
    assert found.bits.tolist() == sorted(found.bits.tolist(), reverse=True)
    assert int(found.bits[0] - found.bits[3]) == pytest.approx(3, abs=1)


def test_rows_that_do_not_matter_are_pruned() -> None:
    found = choose_grids(rows_of(1.0, 1e-4, 0.0), torch.ones(3), 2.0)
    assert found.bits.tolist()[1:] == [0, 0]
    assert not bool(found.codes(rows_of(1.0, 1e-4, 0.0))[1:].any())


def test_enough_bits_are_all_spent() -> None:
    assert choose_grids(rows_of(1.0, 2.0), torch.ones(2), 8.0).bits.tolist() == [8, 8]
    assert choose_grids(torch.zeros(2, 5), torch.ones(2), 4.0).bits.tolist() == [0, 0]
