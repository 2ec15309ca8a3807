"""Modes are back afterwards, each module's own, also after an error."""

from __future__ import annotations

import contextlib

from torch import nn

from disparsity.base.eval_mode import evaluating


def test_every_modules_own_mode_is_back_also_after_an_error() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Dropout()))
    network[1].eval()
    before = [module.training for module in network.modules()]
    with contextlib.suppress(KeyError), evaluating(network):
        assert not any(module.training for module in network.modules())
        raise KeyError
    assert [module.training for module in network.modules()] == before == [True, True, False, False]
