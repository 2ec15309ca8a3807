"""Leaving deterministic mode for a while, and coming back to what was set."""

from __future__ import annotations

import pytest
import torch

from disparsity.base.determinism import usual_operators


@pytest.mark.parametrize(("mode", "warns"), [(False, False), (True, False), (True, True)])
def test_the_mode_is_left_and_is_back_afterwards(mode: bool, warns: bool) -> None:
    torch.use_deterministic_algorithms(mode=mode, warn_only=warns)
    with usual_operators():
        assert not torch.are_deterministic_algorithms_enabled()
    assert torch.are_deterministic_algorithms_enabled() == mode
    assert torch.is_deterministic_algorithms_warn_only_enabled() == warns
