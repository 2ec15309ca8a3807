"""Technology profiles: the constants behind energy and area. A report always names the one it used."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from disparsity.errors import InputError

DEFAULT_PROFILE = "horowitz45"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A float operator: picojoules per operation, square micrometres."""

    energy_pj: float
    area_um2: float


@dataclass(frozen=True, kw_only=True)
class ScaledOperator:
    """An integer operator at its reference width, and the exponents of its power laws."""

    energy_pj: float
    energy_exponent: float
    area_um2: float
    area_exponent: float

    def at(self, ratio: float) -> Operator:
        """The operator at `ratio` times the reference width."""
        return Operator(
            energy_pj=self.energy_pj * ratio**self.energy_exponent, area_um2=self.area_um2 * ratio**self.area_exponent
        )


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything the energy and area models know about a technology."""

    name: str
    source: str
    process_nm: float
    float_multiply: Operator
    float_add: Operator
    integer_multiply: ScaledOperator
    integer_add: ScaledOperator
    dram_pj_per_bit: float


def profile_names() -> list[str]:
    """The names of the profiles that come with the package."""
    files = resources.files("disparsity.hwcost").joinpath("profiles").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_profile(name: str = DEFAULT_PROFILE) -> Profile:
    """A profile by name.

    Raises:
        InputError: no profile has this name; names the nearest.

    """
    names = profile_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else None
        raise InputError("unknown technology profile", found=name, expected=", ".join(names), remedy=remedy)
    text = resources.files("disparsity.hwcost").joinpath("profiles", f"{name}.toml").read_text("utf-8")
    return _profile(tomllib.loads(text))


def _profile(values: dict[str, Any]) -> Profile:
    return Profile(
        name=values["name"],
        source=values["source"],
        process_nm=values["process_nm"],
        float_multiply=Operator(**values["float_multiply"]),
        float_add=Operator(**values["float_add"]),
        integer_multiply=ScaledOperator(**values["integer_multiply"]),
        integer_add=ScaledOperator(**values["integer_add"]),
        dram_pj_per_bit=values["memory"]["dram_pj_per_bit"],
    )
