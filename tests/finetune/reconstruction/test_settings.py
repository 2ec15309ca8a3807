"""Settings of the reconstruction are refused beyond their range."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.finetune.reconstruction.settings import LeastSquaresSettings


@pytest.mark.parametrize("changes", [{"positions": 0}, {"ridge": -1.0}, {"ridge": float("nan")}])
def test_impossible_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(changes))}: "):
        LeastSquaresSettings(**changes)
