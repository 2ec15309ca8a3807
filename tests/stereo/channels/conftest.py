"""Expectations of what an operation between two layers does to their channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disparsity.stereo.channels.coupling import KEPT, ChannelCoupling


@pytest.fixture
def expect_followed(check_between: Callable[..., ChannelCoupling]) -> Callable[..., None]:
    """Checks that channels go through an operation, with so many channels behind it."""

    def check(operation: Callable[..., object], behind: int) -> None:
        coupling = check_between(operation, behind)
        assert coupling.obstacles == ()
        assert KEPT not in coupling.outputs["left"]

    return check


@pytest.fixture
def expect_kept(check_between: Callable[..., ChannelCoupling]) -> Callable[..., None]:
    """Checks that channels are kept in front of an operation, and that the operator is named."""

    def check(operation: Callable[..., object], behind: int, operator: str) -> None:
        coupling = check_between(operation, behind)
        assert set(coupling.outputs["left"]) == {KEPT}
        assert f"{operator} at the network itself" in coupling.obstacles

    return check
