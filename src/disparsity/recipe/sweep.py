"""What a sweep varies and what it weighs against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from disparsity.base.settings import PositiveCount, settings
from disparsity.base.settings_errors import Mistake

ERRORS: dict[str, str] = {"epe": "epe_px", "d1": "d1_percent", "bad3": "bad3_percent"}
"""Errors by name, each with its key in a report's accuracy rows."""

COSTS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "bytes": lambda report: report["memory"]["packed_file_bytes"],
    "bops": lambda report: report["operations"]["bops"]["mac_product"]["compressed"],
    "energy": lambda report: report["hardware"]["mac_energy_pj"]["compressed"],
}
"""Costs by name, each read from a report: bytes of the packed file, bit operations, pJ of all MACs."""

Choice = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones if `whole`, equal ratios alike if `log`."""

    low: float
    high: float
    whole: bool
    log: bool


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One setting that is varied: its key in the recipe, and a range or a list of values."""

    key: str
    values: Range | tuple[str, ...]


@settings
class SweepSettings:
    """The recipe's `sweep` section.

    Attributes:
        parameters: what varies, as `key = low..high`, `key = low..high log` or `key = a | b | c`, e.g.
            `prune.sparsity = 0.9..0.99`.
        error: `epe`, `d1` or `bad3`, of the last stage on the first test data.
        cost: `bytes` of the packed file, `bops`, or `energy` of all MACs.
        sampler: `tpe` (tree of Parzen estimators), `nsga2` (genetic) or `random`.
        trials: finished runs that the sweep ends with.

    """

    parameters: Annotated[tuple[str, ...], Field(min_length=1)]
    error: Literal["epe", "d1", "bad3"] = "epe"
    cost: Literal["bytes", "bops", "energy"] = "bytes"
    sampler: Literal["tpe", "nsga2", "random"] = "tpe"
    trials: PositiveCount = 20

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be read, or stand twice."""
        keys = [parameter.key for parameter in self.parsed()]
        if len(set(keys)) < len(keys):
            raise Mistake("a parameter stands twice", key="parameters", found=", ".join(keys))

    def parsed(self) -> list[Parameter]:
        """`parameters` as data.

        Raises:
            Mistake: one of them is of another form.

        """
        return [parse_parameter(text) for text in self.parameters]


def parse_parameter(text: str) -> Parameter:
    """One entry of `parameters`.

    Raises:
        Mistake: it is of another form.

    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not key or not equals or not values:
        raise _unreadable(text)
    if ".." in values:
        return Parameter(key=key, values=_parse_range(values, text))
    choices = tuple(choice.strip() for choice in values.split("|"))
    if len(choices) < 2 or not all(choices):
        raise _unreadable(text)
    return Parameter(key=key, values=choices)


def _parse_range(values: str, text: str) -> Range:
    bounds, _, scale = values.partition(" ")
    low, _, high = bounds.partition("..")
    try:
        numbers = float(low), float(high)
    except ValueError:
        raise _unreadable(text) from None
    whole = all(part.lstrip("-").isdecimal() for part in (low, high))
    log = scale.strip() == "log"
    if scale.strip() not in ("", "log") or not numbers[0] < numbers[1] or (log and numbers[0] <= 0):
        raise _unreadable(text)
    return Range(low=numbers[0], high=numbers[1], whole=whole, log=log)


def _unreadable(text: str) -> Mistake:
    expected = "KEY = LOW..HIGH, KEY = LOW..HIGH log with LOW > 0, or KEY = A | B"
    return Mistake("not a parameter of a sweep", key="parameters", found=repr(text), expected=expected)
