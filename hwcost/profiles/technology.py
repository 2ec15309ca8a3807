"""Technology profiles: the constants behind energy and area. A report always names the one it used."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disparsity.base.errors import InputError
from disparsity.registries import installed

DEFAULT_PROFILE = "horowitz45"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A float operator: picojoules per operation, square micrometres; None is not known."""

    energy_pj: float
    area_um2: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScaledOperator:
    """An integer operator at its reference width, and the exponents of its power laws."""

    energy_pj: float
    energy_exponent: float
    area_um2: float | None = None
    area_exponent: float = 1.0

    def at(self, ratio: float) -> Operator:
        """The operator at `ratio` times the reference width."""
        area = None if self.area_um2 is None else self.area_um2 * ratio**self.area_exponent
        return Operator(energy_pj=self.energy_pj * ratio**self.energy_exponent, area_um2=area)


@dataclass(frozen=True, kw_only=True)
class Sram:
    """An on-chip buffer of a reference capacity, and the exponent with which its energy grows."""

    pj_per_bit: float
    reference_bytes: float
    exponent: float

    def at(self, capacity_bytes: float) -> float:
        """Picojoules per bit read or written, of a buffer of this capacity."""
        return self.pj_per_bit * (capacity_bytes / self.reference_bytes) ** self.exponent


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The constants of a technology for the energy and area models; None where not known.

    `sources` says where the constants of each table come from.
    """

    name: str
    source: str
    process_nm: float
    float_multiply: Operator
    float_add: Operator
    integer_multiply: ScaledOperator
    integer_add: ScaledOperator
    dram_pj_per_bit: float | None
    sources: dict[str, str]
    sram: Sram | None = None


def load_profile(name: str = DEFAULT_PROFILE) -> Profile:
    """A profile by name, or from the user's own file by a path that ends in ``.toml``.

    Raises:
        InputError: no profile has this name (names the nearest), or the file is none or lacks a constant.

    """
    if name.endswith(".toml"):
        return _read(_file_text(Path(name)), name)
    return _read(installed("profiles", name).read_text("utf-8"), name)


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("the technology profile cannot be read", where=path, found=error) from error


def _read(text: str, where: str) -> Profile:
    try:
        return _profile(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "not a technology profile",
            where=where,
            found=repr(error),
            expected="the tables and constants of hwcost/profiles/horowitz45.toml, a source in each table",
        ) from error


def _profile(values: dict[str, Any]) -> Profile:
    tables = {name: dict(table) for name, table in values.items() if isinstance(table, dict)}
    sources = {name: str(table.pop("source")) for name, table in tables.items()}
    for name, table in tables.items():
        for constant, value in table.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ValueError(f"{name}.{constant} is {value!r}")
    return Profile(
        name=values["name"],
        source=values["source"],
        process_nm=values["process_nm"],
        float_multiply=Operator(**tables["float_multiply"]),
        float_add=Operator(**tables["float_add"]),
        integer_multiply=ScaledOperator(**tables["integer_multiply"]),
        integer_add=ScaledOperator(**tables["integer_add"]),
        dram_pj_per_bit=tables["memory"]["dram_pj_per_bit"] if "memory" in tables else None,
        sources=sources,
        sram=Sram(**tables["sram"]) if "sram" in tables else None,
    )
