"""Settings of a run as its report states them: the eight slots, seed, steps and seconds."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.models.quantities import Number

SLOTS = ("score", "scope", "schedule", "pattern", "mode", "quantizer", "allocation", "teacher")


@dataclass(frozen=True, kw_only=True)
class SettingsSection:
    """The method in each slot, and steps and seconds by stage."""

    score: str | None
    scope: str | None
    schedule: str | None
    pattern: str | None
    mode: str | None
    quantizer: str | None
    allocation: str | None
    teacher: str | None
    seed: int | None
    steps: dict[str, int] | None
    seconds: dict[str, Number] | None
