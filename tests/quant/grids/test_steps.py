from __future__ import annotations

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.quant.grids.steps import MAX_STEP, MIN_STEP, log_of_step, step_from_log, to_float16


def test_every_float16_step_comes_back_through_its_logarithm() -> None:
    # all positive finite float16 bit patterns, subnormals included
    patterns = torch.arange(1, 0x7C00, dtype=torch.int16).view(torch.float16)
    steps = patterns[patterns >= MIN_STEP]
    logarithms = log_of_step(steps.float())
    assert torch.equal(to_float16(logarithms.exp()), steps)
    # a machine whose exponential is off by a few ulps finds the same steps
    assert torch.equal(to_float16(logarithms.exp() * (1 + 1e-6)), steps)
    assert torch.equal(to_float16(logarithms.exp() * (1 - 1e-6)), steps)


def test_steps_are_clamped_to_what_float16_holds() -> None:
    assert float(to_float16(torch.tensor(1e-30))) == MIN_STEP
    assert float(to_float16(torch.tensor(1e30))) == MAX_STEP


def test_gradient_is_that_of_the_exponential() -> None:
    logarithm = torch.tensor([0.3, -4.0], requires_grad=True)
    step_from_log(logarithm).sum().backward()
    torch.testing.assert_close(logarithm.grad, logarithm.detach().exp(), rtol=2.0**-11, atol=0)


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_steps_are_refused(step: float) -> None:
    with pytest.raises(InputError, match="finite and positive"):
        log_of_step(torch.tensor(step))
