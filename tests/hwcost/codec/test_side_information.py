"""Side information: the density of a layer, how uneven it is, and the same plan on both sides."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.range_coder import Decoder, Encoder
from disparsity.hwcost.codec.side_information import LayerPlan, code_plan, plan_of

pytestmark = pytest.mark.usefixtures("compiled")


def measured(values: np.ndarray) -> LayerPlan:
    filters, channels, area = values.shape
    return plan_of(values, list(range(filters)), list(range(channels)), channels, area)


def test_the_odds_are_those_of_the_kernels_that_hold_something() -> None:
    values = np.zeros((8, 8, 9), np.int64)
    values[::2, ::2, 4] = 1  # a quarter of the kernels
    assert measured(values).kernel_odds == pytest.approx(math.log(0.25 / 0.75), abs=1e-6)


def test_filters_of_unlike_density_have_a_spread_and_equal_ones_have_none() -> None:
    generator = np.random.default_rng(0)
    uneven = np.zeros((32, 64, 1), np.int64)
    uneven[:16] = generator.random((16, 64, 1)) < 0.9
    uneven[16:] = generator.random((16, 64, 1)) < 0.1
    even = (generator.random((32, 64, 1)) < 0.5).astype(np.int64)
    assert measured(uneven).kernel_filter > 1 > 0.1 > measured(even).kernel_filter


@settings(deadline=None)
@given(st.integers(1, 9), st.floats(-6, 6), st.floats(-6, 6), st.floats(0, 3))
def test_a_decoder_reads_the_plan_that_was_coded(area: int, kernel: float, element: float, spread: float) -> None:
    plan = LayerPlan(kernel_odds=kernel, element_chance_odds=element, kernel_filter=spread, element_position=spread)
    encoder = Encoder()
    coded = code_plan(LogisticModel(encoder), plan, area)
    assert code_plan(LogisticModel(Decoder(encoder.finish())), LayerPlan(kernel_odds=0.0), area) == coded
    assert abs(coded.kernel_odds - kernel) <= 0.125 / 2 + 1e-9


def test_an_element_that_must_hold_something_is_certain() -> None:
    first, after = LayerPlan(kernel_odds=0.0, element_chance_odds=-2.0).element_odds(4)
    chance = 1 / (1 + math.exp(2.0))
    # given that one of the four holds something, the first does with p / (1 - (1 - p)^4)
    expected = chance / (1 - (1 - chance) ** 4)
    assert first[0] == pytest.approx(math.log(expected / (1 - expected)), abs=1e-5)
    assert (len(first), first[-1], after) == (4, 0.0, -2.0)
