"""Settings of the modes: every mode is built from its own, and refuses what is out of range."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.choice import members, names_of
from disparsity.base.errors import InputError
from disparsity.finetune.modes.registry import MODES
from disparsity.finetune.modes.settings import (
    AlternatingSettings,
    ModeSettings,
    RegrowSettings,
    RigLSettings,
    SoftSettings,
)


def test_every_mode_is_built_from_its_settings() -> None:
    assert list(MODES) == names_of(ModeSettings)
    for kind in members(ModeSettings.__origin__):
        assert type(MODES[kind.name](kind(), None)).__name__.lower() == kind.name


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (AlternatingSettings, {"dense_fraction": 1.1}),
        (SoftSettings, {"decay": 1.0}),
        (RigLSettings, {"drop_fraction": -0.1}),
        (RegrowSettings, {"drop_fraction": float("nan")}),
        (RegrowSettings, {"regrow_penalty": 1.1}),
    ],
)
def test_settings_beyond_their_range_are_refused(kind: type[Any], wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(wrong))}: "):
        kind(**wrong)
