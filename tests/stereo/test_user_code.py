"""Errors of a user's code: one line with the place, and our own errors as they are."""

from __future__ import annotations

import pytest
import torch

from disparsity.base.errors import InputError, StoppedError
from disparsity.stereo.user_code import user_errors


def test_an_error_is_one_line_with_the_users_place() -> None:
    message = rf"^a:b: it fails; found ValueError: two lines, at {__file__}:\d+; do"
    with pytest.raises(InputError, match=message) as got, user_errors("a:b", "it fails", "do"):
        raise ValueError("two\nlines")
    assert isinstance(got.value.__cause__, ValueError)


def test_the_place_is_not_inside_torch() -> None:
    message = rf"^a:b: the network fails; found RuntimeError: .*, at {__file__}:\d+$"
    with pytest.raises(InputError, match=message), user_errors("a:b"):
        torch.nn.Conv2d(3, 1, 1)(torch.zeros(1, 2, 4, 4))


@pytest.mark.parametrize("error", [StoppedError("stopped"), InputError("wrong"), KeyboardInterrupt()])
def test_what_is_no_error_of_the_code_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as got, user_errors("a:b"):
        raise error
    assert got.value is error
